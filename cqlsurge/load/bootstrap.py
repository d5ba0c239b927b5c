"""Starts a load process: `INTERPRETER -I .../cqlsurge/load/bootstrap.py`.

The package is put together by hand from its folder, so that nothing else lands on the path: the site-packages of one
interpreter break another's (they bring CPython builds of numpy and lz4 to PyPy).
"""

import importlib.util
import os
import sys


def load_package() -> None:
    """Makes `import cqlsurge` find this very copy, without touching sys.path."""
    folder = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    spec = importlib.util.spec_from_file_location(
        "cqlsurge", os.path.join(folder, "__init__.py"), submodule_search_locations=[folder]
    )
    assert spec is not None
    assert spec.loader is not None
    package = importlib.util.module_from_spec(spec)
    sys.modules["cqlsurge"] = package
    spec.loader.exec_module(package)


if __name__ == "__main__":
    load_package()
    from cqlsurge.load.worker.main import main

    sys.exit(main())
