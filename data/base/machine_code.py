"""Machine code from the cache, ready to run with as little of Numba's work as that needs.

Numba's own loading prepares for what may be compiled next: it parses the intermediate code of
each loop, which others may have inlined, compiles its run time, and imports the modules of all
that was inlined. That is three quarters of its time. Here, each of it waits until something is
compiled.
"""

from __future__ import annotations

import importlib
import io
import pickle
import sys
from functools import cache
from typing import Any, Final

import numba.core.caching
import numba.core.codegen
import numba.core.compiler
import numba.core.environment
import numba.core.runtime._nrt_python
from llvmlite import binding

__all__ = ["MachineCode", "unpickled"]

# what is not public in Numba has no types worth the name
core: Any = numba.core

#: Names outside of compiled code that this process has been found to have.
_found: Final[set[str]] = set()


class MachineCode(core.caching.CompileResultCacheImpl):  # type: ignore[misc]
    """What is kept of a compiled function, and how a function is made of it again."""

    def reduce(self, compiled: Any) -> Any:
        """Return what is kept: names outside of the code and in it, and what Numba keeps."""
        library = compiled.library
        outside, _ = _names(library._final_module)
        _, inside = _names(library._get_module_for_linking())
        return outside, inside, compiled._reduce()

    def rebuild(self, target_context: Any, kept: Any) -> Any:
        """Return a compiled function of what was kept."""
        outside, inside, (library, function, environment, signature, *rest) = kept
        objectmode, lifted, annotation, reload_init, environments = rest
        _name_run_time()
        if not _all_there(outside):
            # it would end the process: Numba has parts that it loads only where it compiles
            target_context.refresh()
        for start in reload_init:
            start()
        name, _, (machine, intermediate) = library
        loaded = _Library(target_context.codegen(), name, machine, intermediate, inside)
        entry = target_context.get_executable(loaded, function, environment)
        for each in environments:
            loaded.codegen.set_env(each.env_name, each)
        return core.compiler.compile_result(
            target_context=target_context,
            typing_context=target_context.typing_context,
            library=loaded,
            environment=environment,
            entry_point=entry,
            fndesc=function,
            type_annotation=annotation,
            signature=signature,
            objectmode=objectmode,
            lifted=lifted,
            reload_init=reload_init,
            referenced_envs=environments,
        )


class _Library(core.codegen.JITCodeLibrary):  # type: ignore[misc]
    """Machine code whose intermediate code is parsed when another function is to inline it."""

    _shared_module: Any

    def __init__(
        self, codegen: Any, name: str, machine: bytes, intermediate: bytes, names: list[str]
    ) -> None:
        super().__init__(codegen, name)
        self._intermediate = intermediate
        self.enable_object_caching()
        self._set_compiled_object(machine)
        self._finalize_final_module()
        codegen._engine._defined_symbols.update(names)

    def _get_module_for_linking(self) -> Any:
        if self._shared_module is None:
            self._shared_module = binding.parse_bitcode(self._intermediate)
        return self._shared_module


def unpickled(content: bytes) -> Any:
    """Return what Numba has pickled, without importing the modules of what was inlined."""
    return _Unpickler(io.BytesIO(content)).load()


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("numba.core.environment", "_rebuild_env"):
            return _environment
        return super().find_class(module, name)


def _environment(module: str, constants: list[Any], name: str) -> Any:
    """Return the environment of a function, as Numba does but for the globals of its own ones.

    Nothing but object mode, in which none of these is written, looks them up.
    """
    found = core.environment.lookup_environment(name)
    if found is None:
        ours = module in sys.modules or not module.startswith("numba.")
        known = vars(importlib.import_module(module)) if ours else {"__name__": module}
        found = core.environment.Environment(known)
        found.consts[:] = constants
        found.env_name = name
        core.environment.Environment._memo[name] = found
    return found


@cache
def _name_run_time() -> None:
    """Tell LLVM where the functions of Numba's run time are; they are in an extension of C."""
    for name, address in core.runtime._nrt_python.c_helpers.items():
        binding.add_symbol(name if name.startswith("_") else f"NRT_{name}", address)


def _all_there(names: list[str]) -> bool:
    """Return whether this process has all of these names."""
    new = [name for name in names if name not in _found]
    _found.update(name for name in new if binding.address_of_symbol(name) is not None)
    return _found.issuperset(names)


def _names(module: Any) -> tuple[list[str], list[str]]:
    """Return the names that a module refers to and has not, and those that it has."""
    items = [*module.functions, *module.global_variables]
    outside = {each.name for each in items if each.is_declaration}
    inside = {each.name for each in items} - outside
    return sorted(n for n in outside if not n.startswith("llvm.")), sorted(inside)
