"""Values and decisions: no I/O, no clock, no environment, no logging.

Everything here can be called with plain values and a time, so every rule of the product can be
read, and tested, without a machine around it. `core` imports the standard library and `semver`.
"""
