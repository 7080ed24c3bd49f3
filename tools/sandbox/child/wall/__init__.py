"""The sandbox itself: what a process gives up before it runs code that a model wrote.

The zygote and its children load these files by bare name, so those that run in there (`landlock`, `seccomp`,
`syscalls`, `limits`, `paths`) import the standard library only.
"""
