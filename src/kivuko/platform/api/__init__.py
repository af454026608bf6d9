"""Kivuko's own REST API under ``/api/v1`` (contract: spec/api.md): conventions here, one module a noun in ``routes``."""

__all__ = ()
