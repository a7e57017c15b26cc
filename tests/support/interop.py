"""Other people's packages and programs, for the tests that need them."""

import importlib
import os
import shutil
import sys

SKIPPED = 77  # CTest's SKIP_RETURN_CODE
REQUIRED = os.environ.get("MILLRACE_INTEROP") == "required"


def without(missing):
    """Ends the test: as skipped, or as failed where the environment says that nothing may be missing."""
    print(f"{'failed' if REQUIRED else 'skipped'}: {missing} (scripts/install_python.sh, scripts/install_deps.sh all)")
    sys.exit(1 if REQUIRED else SKIPPED)


def packages(*names):
    """The modules of these names, or the end of the test."""
    try:
        return [importlib.import_module(name) for name in names]
    except ImportError as error:
        return without(error)


def program(*names):
    """The path of the first of these programs that is there, or the end of the test."""
    found = next(filter(None, map(shutil.which, names)), None)
    return found or without(f"no {names[0]} on the PATH")
