"""Runs the cases of one client: worker.py CLIENT. Prints one JSON object for each."""
import importlib
import json
import os
import sys
import traceback
import types


class Skipped(Exception):
    """This machine can't run the client."""


def main():
    at = types.SimpleNamespace(
        port=int(os.environ["CLIENT_PORT"]), host="127.0.0.1", user="anybody", database="lightsout",
        **json.loads(os.environ["CLIENT_EXPECTED"]))
    client = importlib.import_module(sys.argv[1])
    try:
        cases = client.cases(at)
    except Exception as error:
        if type(error).__name__ == "Skipped":
            print(json.dumps({"skipped": str(error)}))
            return
        raise
    for name, case in cases.items():
        ok, said = True, ""
        try:
            case()
        except Exception as error:
            at_line = traceback.extract_tb(error.__traceback__)[-1]
            cause = getattr(error, "orig", None) or error
            ok, said = False, f"{type(cause).__name__}: {str(cause)[:900]} (line {at_line.lineno} of {at_line.filename})"
        print(json.dumps({"case": name, "ok": ok, "said": said}), flush=True)


if __name__ == "__main__":
    main()
