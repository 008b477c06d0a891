"""A process with the kernel's modules imported, from which kernels are forked.

These files run in the kernel's own interpreter, whose environment may lack nbship: they import
the standard library and ipykernel, and nothing of nbship. ``server.py`` is started as a script.
One process, one thread: it refuses to fork as soon as there is a second one.
"""
