"""Write a Pulumi program that declares what Omni and Lightdash have. It sends only reads.

:mod:`omni` and :mod:`lightdash` read the objects, :mod:`names` names them, :mod:`program` writes the program, and
:mod:`command` is the command.
"""
