"""WAIaaS: one executable file that keeps AI agents' wallets under their owner's control."""

__version__ = "1.8.0"  # x-release-please-version
