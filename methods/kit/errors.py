"""What the lab cannot do as asked: one line for a person, an exit code for scripts."""


class Refused(Exception):
    """One clear line that names file, key and value. `exit_code`: 1 failed or a bad file, 2 wrong usage."""

    def __init__(self, line: str, exit_code: int = 1) -> None:
        super().__init__(" ".join(line.split()))
        self.exit_code = exit_code
