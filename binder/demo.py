"""The demo: one real notebook from Design to Test to Production.

``demo.py [FOLDER]`` works in ``demo/`` of this checkout, or in FOLDER, and may be repeated: what
stands already is kept, what is missing is made.
"""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "binder" / "demo"
PROJECT = Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else ROOT / "demo"
MLOPS = Path(sys.executable).with_name("mlops")
KEY = PROJECT / "reviewer-key"


def main() -> int:
    """Walk the path; return the exit code."""
    started = time.monotonic()
    prepare()
    step(
        "Test: the notebook becomes a job",
        "submit",
        "penguins.ipynb",
        "-p",
        "trees=150",
    )
    outcome = json.loads(newest("jobs/*/outcome.json").read_text("utf-8"))
    job = outcome["job_id"]
    step("Test: gates vet it", "vet", job)
    verdict = json.loads(newest("verdicts/*.json").read_text("utf-8"))
    step("Test: reviewers read the report", "report", job)
    if not is_approved(verdict["id"]):
        reason = "accuracy and log loss hold, the confusion matrix is clean"
        step("Test: a reviewer signs", "approve", verdict["id"], "--reason", reason)
    bundle = released(job)
    if bundle is None:
        step(
            "Production: the state that was vetted is sealed",
            "release",
            job,
            "--name",
            "penguins",
        )
        bundle = released(job)
    if bundle is None:
        print("nbship: the release left no bundle", file=sys.stderr)
        return 1
    step(
        "Production: IT verifies the bundle", "verify", str(bundle.relative_to(PROJECT))
    )
    step("Mirrors: MLflow and W&B are up to date", "sync")
    show_places(outcome, bundle, time.monotonic() - started)
    return 0


def prepare() -> None:
    """Copy the demo's project and make a reviewer's key, where they are missing."""
    PROJECT.mkdir(exist_ok=True)
    for name in ("penguins.ipynb", "mlops.toml"):
        if not (PROJECT / name).exists():
            shutil.copy(SOURCE / name, PROJECT / name)
    if not KEY.exists():
        step("A key for the reviewer, for this demo alone", "key", KEY.name)


def step(title: str, *words: str) -> None:
    """Show a command, run it, and stop the demo where it fails."""
    print(f"\n\033[1m{title}\033[0m" if sys.stdout.isatty() else f"\n{title}")
    print(f"$ mlops {shlex.join(words)}", flush=True)
    code = subprocess.run([MLOPS, *words], cwd=PROJECT, check=False).returncode
    if code:
        sys.exit(code)


def newest(pattern: str) -> Path:
    """Return the youngest file of the store that fits."""
    return max((PROJECT / ".mlops").glob(pattern))


def is_approved(verdict_id: str) -> bool:
    """Tell whether an approval of that verdict lies in the store."""
    approvals = (PROJECT / ".mlops" / "approvals").glob("*.json")
    return any(
        json.loads(path.read_text("utf-8"))["verdict_id"] == verdict_id
        for path in approvals
    )


def released(job_id: str) -> Path | None:
    """Return the bundle that was made from the job, if there is one."""
    for manifest in sorted((PROJECT / ".mlops" / "releases").glob("*/*/manifest.json")):
        if json.loads(manifest.read_text("utf-8"))["job_id"] == job_id:
            return manifest.parent
    return None


def show_places(outcome: dict[str, str], bundle: Path, seconds: float) -> None:
    """Print where things lie and three commands to look further."""
    store = PROJECT / ".mlops"
    attempt = store / "jobs" / outcome["job_id"] / "attempts" / str(outcome["attempt"])
    places = {
        "run": store / "runs" / outcome["run_id"],
        "executed notebook": attempt / "output.ipynb",
        "verdict": newest("verdicts/*.json"),
        "report": newest("reports/*.html"),
        "bundle": bundle,
    }
    print(f"\nDone in {seconds:.0f} s. Where things lie:")
    for name, path in places.items():
        print(f"  {name:<18}{shown(path)}")
    print("\nLook further:")
    print(f"  {shown(MLOPS)} verify {shown(bundle)}")
    print(f"  cd {shown(PROJECT)} && {MLOPS} runs")
    print(
        f"  cd {shown(PROJECT)} && {MLOPS} ui --port 5000   # MLflow on 127.0.0.1; Ctrl-C ends it"
    )


def shown(path: Path) -> str:
    """Write a path as it is typed from the folder that the demo was started in."""
    here = Path.cwd()
    return shlex.quote(
        str(path.relative_to(here) if path.is_relative_to(here) else path)
    )


if __name__ == "__main__":
    sys.exit(main())
