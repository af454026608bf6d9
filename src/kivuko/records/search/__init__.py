"""Search over message bodies, headers and logs: an index that follows the records, can be dropped and is built again (server-and-data §10).

``Indexer`` fills a ``SearchIndex``; ``Finder`` looks a text up and reads what it found, so that only what really holds it is answered.
"""

from kivuko.records.search.entries import Entry, EntryKind
from kivuko.records.search.finder import Finder
from kivuko.records.search.index import SearchIndex, open_index
from kivuko.records.search.indexer import Indexer
from kivuko.records.search.words import needle_of, words_of

__all__ = ["Entry", "EntryKind", "Finder", "Indexer", "SearchIndex", "needle_of", "open_index", "words_of"]
