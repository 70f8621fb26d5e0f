"""Prints the exact versions installed in the environment that runs it, as constraints for pip.

Names and versions only: no address, path or hash, so that the file fits every machine and
every mirror. Leaves out this repository's own distributions and pip itself.
"""

from __future__ import annotations

from importlib.metadata import distributions

HEADER = """\
# Exact versions of the development environment, resolved on Python 3.11 by "make constraints".
# Not a promise to users: what each distribution accepts stands in its pyproject.toml.
"""


def pins() -> list[str]:
    found = {d.metadata["Name"]: d.version for d in distributions()}
    return [
        f"{name}=={found[name]}"
        for name in sorted(found, key=str.lower)
        if name not in {"pip", "setuptools"} and not name.startswith("omniman-payment-")
    ]


if __name__ == "__main__":
    print(HEADER + "\n".join(pins()))
