"""Find out whether settings, network and keys do what a program needs. It sends only reads.

:mod:`omni` and :mod:`lightdash` check an instance, :mod:`network` explains why one cannot be reached, :mod:`report`
describes the responses without their values, and :mod:`command` is the command.
"""
