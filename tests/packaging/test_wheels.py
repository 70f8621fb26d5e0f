"""Every distribution, built to a wheel and installed alone, works with what it declares.

In the development environment everything is installed, so a dependency that somebody forgot to
declare is always there. Here each wheel meets an empty environment.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import zipfile
from concurrent.futures import ThreadPoolExecutor
from configparser import ConfigParser
from email.message import Message
from email.parser import Parser
from pathlib import Path

import pytest

from tests.packaging.distributions import CORE, ROOT, Distribution, all_distributions

DISTRIBUTIONS = {d.name: d for d in all_distributions()}
STANDALONE = (CORE, "omniman-payment-simulators")
"""What works without the core: itself, and the far side, which knows nothing of us."""

# What must not be there when a wheel is installed alone, since it does not ask for it.
FOREIGN = {
    CORE: ["django", "stripe", "efipay", "pytest", "hypothesis", "requests"],
    "omniman-payment-mock": ["django", "stripe", "efipay", "pytest", "requests"],
    "omniman-payment-stripe": ["django", "efipay", "omniman_payment_mock"],
    "omniman-payment-efi": ["django", "stripe", "omniman_payment_mock"],
    "omniman-payment-django": ["stripe", "efipay", "psycopg", "omniman_payment_mock", "pytest"],
    "omniman-payment-simulators": ["django", "stripe", "efipay", "omniman_payment_core", "pytest"],
}

# Subpackages and modules for people who have pytest: declared by an extra, or loaded by pytest.
NEEDS_PYTEST = (
    "omniman_payment_core.conformance",
    "omniman_payment_mock.pytest_plugin",
    "omniman_payment_simulators.pytest_plugin",
)

IMPORT_EVERYTHING = """
import importlib, importlib.util, json, pkgutil, sys

package, host, skipped, foreign = json.loads(sys.argv[1])
if host:
    from django.conf import settings

    settings.configure(
        INSTALLED_APPS=[
            "django.contrib.admin",
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django.contrib.messages",
            "django.contrib.sessions",
            package,
        ],
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
        ROOT_URLCONF="",
        USE_TZ=True,
    )
    import django

    django.setup()

imported, failed = [], []
top = importlib.import_module(package)
pending = [(top.__path__, package + ".")]
while pending:
    path, prefix = pending.pop()
    for found in pkgutil.iter_modules(path, prefix):
        if found.name.startswith(tuple(skipped)):
            continue
        try:
            module = importlib.import_module(found.name)
        except Exception as error:
            failed.append(f"{found.name}: {type(error).__name__}: {error}")
            continue
        imported.append(found.name)
        if found.ispkg:
            pending.append((module.__path__, found.name + "."))
present = [name for name in foreign if importlib.util.find_spec(name)]
print(json.dumps({"file": top.__file__, "imported": imported, "failed": failed,
                  "present": present}))
"""


def run(*command: str | Path, cwd: Path = ROOT) -> str:
    """Run a command without our own environment leaking into it; show its output if it fails."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        pytest.fail(f"{' '.join(map(str, command))}\n{done.stdout}\n{done.stderr}", pytrace=False)
    return done.stdout


@pytest.fixture(scope="session")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The wheel of every distribution, built by the backend that is installed here."""
    folder = tmp_path_factory.mktemp("wheels")

    def build(distribution: Distribution) -> Path:
        out = folder / distribution.name
        build_wheel = (sys.executable, "-m", "build", "--wheel", "--no-isolation")
        run(*build_wheel, "--outdir", out, distribution.folder)
        (wheel,) = out.glob("*.whl")
        return wheel

    with ThreadPoolExecutor(2) as pool:
        return dict(zip(DISTRIBUTIONS, pool.map(build, DISTRIBUTIONS.values()), strict=True))


def files_of(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


def read(wheel: Path, ending: str) -> str:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [n for n in archive.namelist() if n.endswith(ending)]
        return archive.read(name).decode()


def metadata_of(wheel: Path) -> Message:
    return Parser().parsestr(read(wheel, ".dist-info/METADATA"))


def requirements_of(wheel: Path) -> dict[str, str]:
    """Requirement by name, without those of extras."""
    found = metadata_of(wheel).get_all("Requires-Dist") or []
    plain = [requirement for requirement in found if "extra ==" not in requirement]
    return {re.split(r"[^A-Za-z0-9._-]", r)[0].lower(): r for r in plain}


each_distribution = pytest.mark.parametrize("name", DISTRIBUTIONS)


@each_distribution
def test_a_wheel_holds_its_package_its_license_and_its_type_marker_and_no_tests(
    wheels: dict[str, Path], name: str
) -> None:
    package = DISTRIBUTIONS[name].package
    files = files_of(wheels[name])
    assert f"{package}/py.typed" in files
    assert f"{package}/__init__.py" in files
    assert any(f.endswith(".dist-info/licenses/LICENSE") for f in files)
    assert {f.split("/")[0] for f in files if ".dist-info/" not in f} == {package}
    assert [f for f in files if "/tests/" in f or Path(f).name.startswith("test_")] == []
    assert [f for f in files if "conftest" in f or f.endswith((".pyc", ".sqlite3"))] == []


@each_distribution
def test_a_wheel_carries_every_module_of_its_package(wheels: dict[str, Path], name: str) -> None:
    folder = DISTRIBUTIONS[name].package_folder
    modules = {
        str(path.relative_to(folder.parent))
        for path in folder.rglob("*.py")
        if "__pycache__" not in path.parts
    }
    assert modules <= set(files_of(wheels[name]))


def test_the_core_requires_pluggy_and_importlib_metadata_and_nothing_else(
    wheels: dict[str, Path],
) -> None:
    assert requirements_of(wheels[CORE]).keys() == {"pluggy", "importlib-metadata"}


@pytest.mark.parametrize("name", [name for name in DISTRIBUTIONS if name not in STANDALONE])
def test_every_other_distribution_requires_this_minor_version_of_the_core(
    wheels: dict[str, Path], name: str
) -> None:
    major, minor, *_ = metadata_of(wheels[CORE])["Version"].split(".")
    requirement = requirements_of(wheels[name])[CORE]
    assert f">={major}.{minor}" in requirement
    assert f"<{major}.{int(minor) + 1}" in requirement


def test_all_distributions_share_one_version(wheels: dict[str, Path]) -> None:
    assert len({metadata_of(wheel)["Version"] for wheel in wheels.values()}) == 1


@pytest.mark.parametrize("backend", ["mock", "stripe", "efi"])
def test_a_plugins_wheel_announces_its_backend_in_a_module_that_it_carries(
    wheels: dict[str, Path], backend: str
) -> None:
    wheel = wheels[f"omniman-payment-{backend}"]
    entry_points = ConfigParser()
    entry_points.read_string(read(wheel, ".dist-info/entry_points.txt"))
    announced = dict(entry_points["omniman_payment.backends"])
    assert announced == {backend: f"omniman_payment_{backend}.plugin"}
    assert f"omniman_payment_{backend}/plugin.py" in files_of(wheel)


def test_the_mocks_wheel_announces_its_fixtures_to_pytest(wheels: dict[str, Path]) -> None:
    entry_points = ConfigParser()
    wheel = wheels["omniman-payment-mock"]
    entry_points.read_string(read(wheel, ".dist-info/entry_points.txt"))
    assert dict(entry_points["pytest11"]) == {
        "omniman_payment_mock": "omniman_payment_mock.pytest_plugin"
    }


@each_distribution
def test_a_wheel_installed_alone_imports_with_what_it_declares(
    wheels: dict[str, Path], name: str, tmp_path: Path
) -> None:
    distribution = DISTRIBUTIONS[name]
    environment = tmp_path / "venv"
    run(sys.executable, "-m", "venv", "--without-pip", environment)
    python = environment / "bin" / "python"
    # The wheels by path: what happens to carry one of our names on an index stays there.
    ours = {wheels[name]} if name in STANDALONE else {wheels[CORE], wheels[name]}
    pip = (sys.executable, "-m", "pip", "--python", str(python))
    run(*pip, "install", "--quiet", "--constraint", ROOT / "constraints.txt", *ours)
    arguments = [distribution.package, name.endswith("-django"), NEEDS_PYTEST, FOREIGN[name]]
    told = json.loads(run(python, "-c", IMPORT_EVERYTHING, json.dumps(arguments), cwd=tmp_path))

    assert Path(told["file"]).is_relative_to(environment)
    assert told["failed"] == []
    assert told["present"] == []
    if distribution.folder.parent.name == "plugins":
        assert f"{distribution.package}.plugin" in told["imported"]
        # Registering is data; the SDK comes with the first account that is built.
        script = f"import sys, {distribution.package}.plugin as p; p.register_backend()"
        loaded = run(python, "-c", f"{script}; print(*sys.modules)", cwd=tmp_path).split()
        assert {"stripe", "efipay"}.isdisjoint(loaded)
