"""The contract that SDK, pod, compiler, controller and git share byte for byte. Standard library only."""
