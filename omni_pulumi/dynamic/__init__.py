"""The dynamic providers: how the engine calls a lifecycle, and how a program declares a resource.

Source: https://www.pulumi.com/docs/iac/concepts/resources/dynamic-providers/
"""
