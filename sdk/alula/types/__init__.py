"""Python types and values on their way to and from the contract's JSON.

`alula.types.compiling.compile(annotation)` gives a `PyType`; its closures carry values. Bytes of files and frames move
through a `Carrier`, so that nothing here knows a store.
"""
