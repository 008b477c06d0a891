"""An exported package in this process, and what it chose to answer with."""

from __future__ import annotations

import importlib
import sys


class Loaded:
    """A package in this process, and what it chose."""

    def __init__(self, site, name):
        sys.path.insert(0, str(site))
        try:
            about = importlib.import_module(f"{name}._about")
            self.paths = importlib.import_module(f"{name}.answering._paths")
            self.tables = importlib.import_module(f"{name}.answering._tables")
            self.main = importlib.import_module(f"{name}.__main__").main
            self.predict = about.predict_function()
            contract = importlib.import_module(f"{name}.answering._contract")
            self.contract = contract.contract_of(self.predict)
        finally:
            sys.path.remove(str(site))
        self.chosen = self.paths.choose(self.predict, self.contract)
