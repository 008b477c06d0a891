"""Kernels are started as processes whose end is an event."""

from __future__ import annotations

import os
import select
import signal
import sys

import pytest

from nbship.adapters.kernels.launching import FreshLauncher
from nbship.adapters.kernels.processes import KernelStart
from nbship.errors import KernelError


def start_of(tmp_path, code, **options):
    return KernelStart(
        argv=(sys.executable, "-c", code),
        connection_file=tmp_path / "kernel.json",
        environ=dict(os.environ),
        cwd=tmp_path,
        **options,
    )


def has_ended(process, timeout_s):
    return bool(select.select([process.fileno()], [], [], timeout_s)[0])


def test_a_killed_process_makes_its_descriptor_readable(tmp_path):
    process = FreshLauncher().launch(start_of(tmp_path, "import time; time.sleep(60)"))

    assert not has_ended(process, 0)
    assert (process.poll(), process.wait(0.0)) == (None, None)
    assert os.getpgid(process.pid) == os.getsid(process.pid) == process.pid
    process.send_signal(signal.SIGKILL)

    assert has_ended(process, 30)
    assert process.wait(30) == -signal.SIGKILL
    process.send_signal(signal.SIGTERM)  # of no consequence any more
    process.close()
    process.close()


def test_it_is_told_its_parent_and_its_exit_code_is_kept(tmp_path):
    code = "import os, sys; sys.exit(os.environ['JPY_PARENT_PID'] == str(os.getppid()))"

    process = FreshLauncher().launch(start_of(tmp_path, code))

    assert process.wait(30) == 1
    process.close()


def test_it_keeps_the_descriptors_that_it_is_given_and_no_others(tmp_path):
    held, other = os.pipe()
    code = f"import os; os.fstat({held})\ntry: os.fstat({other})\nexcept OSError: raise SystemExit(7)"

    process = FreshLauncher().launch(start_of(tmp_path, code, held_fds=(held,)))

    assert process.wait(30) == 7
    process.close()
    os.close(held)
    os.close(other)


def test_a_program_that_does_not_exist_is_named(tmp_path):
    start = KernelStart(
        argv=("no-such-kernel",),
        connection_file=tmp_path / "kernel.json",
        environ={},
        cwd=tmp_path,
    )

    with pytest.raises(KernelError, match="no-such-kernel"):
        FreshLauncher().launch(start)
