"""What is known not to work, each with its reason: (client, case) -> reason. One that starts to work fails the run."""

LIMITS = {}
