"""Secrets of credentials: which they are, in which forms they turn up, and how they are taken out of logs and errors."""

from kivuko.runtime.secrets.forms import forms_of
from kivuko.runtime.secrets.scrubber import MASK, Scrubber
from kivuko.runtime.secrets.values import SHORTEST_SECRET, logins, secret_values

__all__ = ["MASK", "SHORTEST_SECRET", "Scrubber", "forms_of", "logins", "secret_values"]
