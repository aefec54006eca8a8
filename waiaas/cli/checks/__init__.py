"""What `waiaas doctor` looks at, one file a subject.

A check is a generator: it gets the `Installation` and yields findings, each with the command that mends
it. It changes nothing, waits for nobody longer than it says, and may raise: what it raises is a finding.
`doctor.CHECKS` lists them in the order in which somebody should mend things.
"""
