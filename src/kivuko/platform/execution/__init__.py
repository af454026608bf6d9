"""What a worker needs to execute an Attempt: its limits, its initial state, credentials, and the tokens that let it in."""

from kivuko.platform.execution.catalogue import Catalogue
from kivuko.platform.execution.initial_state import InitialStates
from kivuko.platform.execution.limits import Limits, limits_of
from kivuko.platform.execution.platform_catalogue import PlatformCatalogue
from kivuko.platform.execution.taking_over import TakenOver, taken_over
from kivuko.platform.execution.tokens import RunToken, RunTokens, WorkerTokens, public_key_of

__all__ = [
    "Catalogue",
    "InitialStates",
    "Limits",
    "PlatformCatalogue",
    "RunToken",
    "RunTokens",
    "TakenOver",
    "WorkerTokens",
    "limits_of",
    "public_key_of",
    "taken_over",
]
