"""How much of the disk an installation takes: packages and all that they require.

Runs in the environment that is measured, and needs nothing of it:

    python benchmarks/installation.py PACKAGE...

prints JSON: `bytes`, the files as pip lists them; `versions` of the packages that take a tenth of
it or were asked for. pip itself is not counted. Measure a package where it is installed: of a
linked checkout pip lists nothing.
"""

import json
import re
import sys
from collections.abc import Iterable
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

SHARE_TO_NAME = 0.1


def required(packages: Iterable[str]) -> dict[str, Distribution]:
    """Find packages and all that they require, by name; what is not installed is passed over."""
    found: dict[str, Distribution] = {}
    waiting = list(packages)
    while waiting:
        name = _canonical(waiting.pop())
        if name in found:
            continue
        try:
            found[name] = distribution(name)
        except PackageNotFoundError:  # meant for another platform or Python
            continue
        waiting += [line for line in found[name].requires or () if "extra ==" not in line]
    return found


def n_bytes(package: Distribution) -> int:
    """Sum the files of a package that are there."""
    paths = {Path(path.locate()) for path in package.files or ()}
    return sum(path.stat().st_size for path in paths if path.is_file())


def _canonical(requirement: str) -> str:
    """Find the name in a requirement such as `Foo_bar[baz]>=1; python_version < "4"`."""
    name = re.split(r"[^\w.-]", requirement.strip(), maxsplit=1)[0]
    return re.sub(r"[-_.]+", "-", name).lower()


def main() -> None:
    """Print the size of the packages that are named."""
    asked = {_canonical(name) for name in sys.argv[1:]}
    packages = required(sys.argv[1:])
    sizes = {name: n_bytes(package) for name, package in packages.items()}
    total = sum(sizes.values())
    named = [name for name in sizes if name in asked or sizes[name] >= SHARE_TO_NAME * total]
    versions = {name: packages[name].version for name in sorted(named)}
    print(json.dumps({"bytes": total, "versions": versions}))


if __name__ == "__main__":
    if set(sys.argv[1:]) & {"-h", "--help"}:
        print(__doc__)
    else:
        main()
