"""The lane of live pages: server-sent events of a project and of an Attempt's log (spec/api.md §5)."""

from kivuko.server.lanes.live.admission import Admission
from kivuko.server.lanes.live.feed import Feed
from kivuko.server.lanes.live.lane import AttemptLog, ProjectEvents, live_routes
from kivuko.server.lanes.live.log_tail import LogTails
from kivuko.server.lanes.live.streaming import Counted, Streaming

__all__ = ["Admission", "AttemptLog", "Counted", "Feed", "LogTails", "ProjectEvents", "Streaming", "live_routes"]
