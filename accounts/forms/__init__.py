"""What people fill in: sign-up, organisations, members, filters."""

from .signup import SignupExtra

__all__ = ["SignupExtra"]
