"""The verbs of production: release, verify, diff."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from nbship.errors import VerificationError
from nbship.verbs.answer import ANSWER_IS_NO, OK, Answer, Verb
from nbship.verbs.diff import DIFF
from nbship.verbs.words import add_job, place

if TYPE_CHECKING:
    import argparse

    from nbship.records.release import ParityReport, Release, Verification
    from nbship.verbs.answer import Context
    from nbship.workbench import Workbench
    from nbship.workflow.release import Makers


def _release(context: Context, arguments: argparse.Namespace) -> Answer:
    from nbship.records.statements import statements_of
    from nbship.release.names import check_alias, default_package
    from nbship.release.wheel_text import distribution_name
    from nbship.version import __version__
    from nbship.workflow.jobs import find_job, load_job
    from nbship.workflow.release import Wish, release_job

    bench, settings = context.workbench, context.workbench.settings
    check_alias(settings.alias)
    job = load_job(bench.store, find_job(bench.store, arguments.job))
    package = settings.package or default_package(job.notebook)
    made = release_job(
        bench.store,
        job.id,
        root=arguments.root,
        wish=Wish(
            package=package,
            name=arguments.name or distribution_name(package),
            version=arguments.version,
            owner=settings.owner,
            at=bench.clock.now(),
            tool=f"nbship {__version__}",
            said=statements_of(settings.statements),
            base_image=settings.base_image,
            advisories=bench.advisories(),
            with_wheelhouse=settings.with_wheelhouse,
            platforms=settings.platforms,
            budget=bench.budget,
        ),
        policy=settings.policy,
        reviewers=settings.reviewers,
        makers=_makers(bench),
    )
    bench.start_release_shipper()
    return Answer(text=_release_text(made), data=made)


def _makers(bench: Workbench) -> Makers:
    from nbship.workflow.release import Makers

    return Makers(
        builder=bench.builder,
        replayer=bench.replayer,
        sealer=bench.sealer,
        pages=bench.pages,
        render_report=bench.render_report,
        model_sealer=bench.model_sealer if bench.settings.model_key else None,
    )


def _verify(context: Context, arguments: argparse.Namespace) -> Answer:
    from nbship.workflow.verify import Trust, verify

    bench, settings = context.workbench, context.workbench.settings
    signers = _signers(arguments.signer) if arguments.signer else settings.reviewers
    found = verify(
        Path(arguments.bundle),
        trust=Trust(
            expect=arguments.expect, signers=signers, reviewers=settings.reviewers
        ),
        reader=bench.builder,
        replayer=bench.replayer,
        sealer=bench.sealer,
        model_sealer=bench.model_sealer,
    )
    return Answer(
        text=_verification_text(found),
        data=found,
        exit_code=OK if found.passed else ANSWER_IS_NO,
    )


def _signers(path: str) -> tuple[str, ...]:
    try:
        lines = Path(path).expanduser().read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise VerificationError(
            f"{path}: no list of public keys can be read: {error}",
            hint="Give a file such as ~/.ssh/id_ed25519.pub.",
        ) from error
    keys = tuple(line for line in lines if line.strip() and not line.startswith("#"))
    if not keys:
        raise VerificationError(
            f"{path}: no public key in it", hint="Put one line of OpenSSH per key."
        )
    return keys


def _release_text(made: Release) -> str:
    remarks = [f"note: {made.remark}"] if made.remark else []
    return "\n".join(
        (
            f"{made.name} {made.version} released: {place(Path(made.bundle))}",
            f"  {_parity_text(made.parity)}",
            f"  wheel   {made.wheel}  sha256 {made.wheel_digest}",
            f"  bundle  sha256 {made.digest}",
            *remarks,
            "Tell IT that number over another channel; they run",
            f"  mlops verify BUNDLE --expect {made.digest}",
        )
    )


def _verification_text(found: Verification) -> str:
    lines = [f"asked: {check}" for check in found.checks]
    lines += [f"FAILED {failure}" for failure in found.failures]
    lines += [f"note: {notice}" for notice in found.notices]
    if found.parity and found.parity.passed:
        lines.append(_parity_text(found.parity))
    if found.passed:
        lines.append(f"{found.bundle}: verified, digest {found.digest}")
    else:
        count = len(found.failures)
        lines.append(f"{found.bundle}: NOT verified, {count} failed")
    return "\n".join(lines)


def _parity_text(parity: ParityReport) -> str:
    network = "no network" if parity.isolation == "namespace" else "sockets refused"
    return (
        f"parity: {parity.cases_text} equal ({parity.rows} rows), twice, in a"
        f" fresh environment, Python {parity.python_version}, {network}"
    )


def _release_arguments(parser: argparse.ArgumentParser) -> None:
    add_job(parser)
    parser.add_argument(
        "--name", default="", help="of the bundle; the package's where not given"
    )
    parser.add_argument(
        "--version", default="", help="such as 1.2.0; the next one where not given"
    )
    parser.add_argument(
        "--root", default="", help="which captured root, where the job has several"
    )


def _verify_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("bundle", metavar="BUNDLE", help="the bundle's folder")
    parser.add_argument(
        "--expect",
        metavar="DIGEST",
        default="",
        help="the bundle's digest as you were told it over another channel",
    )
    parser.add_argument(
        "--signer",
        metavar="FILE",
        default="",
        help="public keys that may have sealed it, one line each",
    )


VERBS: tuple[Verb, ...] = (
    Verb(
        name="release",
        stage="Production",
        help="seal a vetted, approved job into a bundle",
        run=_release,
        add_arguments=_release_arguments,
    ),
    Verb(
        name="verify",
        stage="Production",
        help="check a bundle: files, seal, provenance, replay",
        run=_verify,
        add_arguments=_verify_arguments,
    ),
    DIFF,
)
