"""Projects: the workspaces of members, workflows, credentials and inboxes. A Django app: its functions are in its modules."""

__all__ = ()
