"""Writers of a store, in a module that spawned processes can import."""

from nbship.adapters.store.files import FileStore
from nbship.adapters.store.journal import FileJournal
from nbship.records.environment import GitState
from nbship.records.run import EventKind


def write_many(path, name, count):
    journal = FileJournal(path)
    for number in range(count):
        journal.append(EventKind.TAG, {"name": name, "value": "x" * (number % 3000)})


def publish(path, folder, results, name):
    state = GitState(commit=name * 40, branch=name, is_dirty=False)
    results.put((name, published(FileStore(folder), state, path)))


def published(store, state, path):
    """Publish as an attempt does: write it at home, then link it."""
    own = store.folder / state.branch / "outcome.json"
    store.save(state, own)
    return store.link(own, path)
