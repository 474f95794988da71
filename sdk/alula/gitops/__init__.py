"""The gitops repository: its layout, whether it is sound, what two states of it mean, and how it changes by commits.

Called by the command line. What a release folder holds is `alula.emit`'s; what lies around it, and git, is here. Every
change is worked out and checked before anything is written, and reaches the repository as one commit.
"""
