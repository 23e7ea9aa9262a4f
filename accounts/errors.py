"""What an action raises. Each carries a sentence for a person; views show it as it is."""


class Refused(Exception):
    """The act is understood and not possible now; the message says why and what would be right."""

    def __init__(self, message, *, code: str = "refused"):
        super().__init__(str(message))
        self.message = message
        self.code = code


class NotPermitted(Refused):
    """The person's role or organisation does not allow the act (HTTP 403)."""

    def __init__(self, message, *, code: str = "not_permitted"):
        super().__init__(message, code=code)
