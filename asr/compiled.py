"""Compiled: functions over arrays, which numba turns into machine code once per machine.

Compiling takes seconds, and importing numba half of one. So the code is kept (see `kept_folder`),
one file for each function and kinds of arguments; a later process loads it in milliseconds, without
numba. A file's name has a digest of all that its code depends on: stale code is never found.
Without a folder to trust, or on a full disk, each process compiles anew; a damaged file is
replaced.

The code does not hold Python's lock: threads run it at the same time. For the reasons, see
docs/decisions/0025-compiled-code-is-kept-as-object-code.md.
"""

import ctypes
import hashlib
import json
import logging
import os
import re
import sys
import threading
from collections.abc import Callable, Iterator
from functools import cache, cached_property, update_wrapper
from importlib.metadata import version
from types import ModuleType
from typing import Any, ParamSpec, TypeVar, cast

import llvmlite.binding as llvm  # type: ignore[import-untyped]
import numpy as np

from asr.errors import warn_once
from asr.files import is_trusted, kept_folder, write_bytes

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

_LOG = logging.getLogger(__name__)
_LOCK = threading.Lock()
_DIGEST_SIZE = hashlib.sha256().digest_size
_OUTSIDE = re.compile(r'^declare [^@]*@(?!"?llvm\.)', re.MULTILINE)  # a function of the process

_OPTIONS: dict[str, Any] = {
    "error_model": "numpy",
    "forceinline": True,  # a call passes every field of its tuples, often more work than its own
    "no_cpython_wrapper": True,
    "no_cfunc_wrapper": True,
    "_nrt": False,  # no arrays of its own, so no reference counting
}
_LLVM_TYPES = {bool: "i8", int: "i64", float: "double"}
_C_TYPES: dict[str, Any] = {
    # of arguments, as LLVM calls them
    "ptr": ctypes.c_void_p,
    "i8": ctypes.c_bool,
    "i64": ctypes.c_int64,
    "double": ctypes.c_double,
    # of results, as numba calls them
    "none": ctypes.c_void_p,
    "bool": ctypes.c_bool,
    "int32": ctypes.c_int32,
    "int64": ctypes.c_int64,
    "uint32": ctypes.c_uint32,
    "uint64": ctypes.c_uint64,
    "float32": ctypes.c_float,
    "float64": ctypes.c_double,
}


def compiled(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Compile a function when Python first calls it; other compiled functions can call it too.

    Its arguments are numbers, arrays and named tuples of these; its result is nothing, a number or
    a tuple of numbers. It cannot create arrays, only fill the ones that it gets. Division by zero
    is as in numpy.
    """
    return cast(Callable[Arguments, Result], _Compiled(function))


class _Compiled:
    """A function, and its machine code for each kind of arguments."""

    def __init__(self, function: Callable[..., Any]) -> None:
        update_wrapper(self, function)
        self.function = function
        self._codes: dict[tuple[object, ...], _Code] = {}

    def __call__(self, *arguments: Any) -> Any:  # noqa: ANN401 -- `compiled` says what they are
        kinds: list[object] = []
        values: list[Any] = []
        for argument in arguments:
            _flatten(argument, kinds, values)
        key = tuple(kinds)
        code = self._codes.get(key)
        if code is None:
            with _LOCK:  # one thread compiles, the others find its code
                code = self._codes.get(key) or _Code(self._load(arguments, kinds), kinds)
                self._codes[key] = code
        return code(values)

    @property
    def _numba_type_(self) -> Any:  # noqa: ANN401 -- by this name numba finds what it can call
        return self._dispatcher._numba_type_

    @cached_property
    def _dispatcher(self) -> Any:  # noqa: ANN401
        import numba  # here: kept code runs without it

        return numba.njit(self.function, **_OPTIONS)

    def _load(self, arguments: tuple[Any, ...], kinds: list[object]) -> bytes:
        """Read the code for some arguments, or compile and keep it."""
        fields = [getattr(kind, "_fields", None) for kind in kinds]
        about = repr((_OPTIONS, kinds, fields))
        depends_on = "\n".join((_toolchain(), about, *_description(self, set())))
        digest = hashlib.sha256(depends_on.encode()).hexdigest()[:32]
        name = f"{self.function.__module__}.{self.function.__name__}-{digest}"
        return _read(name) or self._compile(arguments, kinds, name)

    def _compile(self, arguments: tuple[Any, ...], kinds: list[object], name: str) -> bytes:
        """Compile for some arguments; the code is a line of JSON and an object file."""
        import numba

        warn_once(_LOG, "compiling for this machine: some seconds, the first time")
        types = tuple(map(numba.typeof, map(_plain, arguments)))
        self._dispatcher.compile(types)
        found = self._dispatcher.overloads[types]
        function = found.library.get_function(found.fndesc.llvm_func_name)
        passed = [re.sub(r".*\*$", "ptr", str(argument.type)) for argument in function.arguments]
        if passed != _llvm_types(kinds):
            raise RuntimeError(
                f"expected numba to pass {_llvm_types(kinds)}, but {numba.__version__} passes "
                f"{passed}: install a version of numba that this package allows"
            )
        result = found.signature.return_type
        is_tuple = isinstance(result, numba.types.BaseTuple)
        returned = [str(number) for number in (result if is_tuple else [result])]
        header = json.dumps([function.name, returned, is_tuple]).encode()
        code: bytes = header + b"\n" + found.library.serialize_using_object_code()[2][0]
        if not _OUTSIDE.search(found.library.get_llvm_str()):  # else it may need numba to run
            _write(name, code)
        return code


class _Code:
    """Machine code in memory.

    By numba's convention a function gets a pointer to its result, a pointer for an exception, and
    its arguments: a named tuple's fields one by one, an array as `_flatten` lists it. It returns 0
    if all is well.
    """

    def __init__(self, code: bytes, kinds: list[object]) -> None:
        header, _, object_file = code.partition(b"\n")
        name, returned, self._is_tuple = json.loads(header)
        self._fields = [(f"number_{i}", _C_TYPES[number]) for i, number in enumerate(returned)]
        self._result = type("Result", (ctypes.Structure,), {"_fields_": self._fields})
        llvm.initialize_native_target()
        llvm.initialize_native_asmprinter()
        target = llvm.Target.from_triple(llvm.get_process_triple())
        machine = target.create_target_machine(opt=3)
        self._engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine)
        self._engine.add_object_file(llvm.ObjectFileRef.from_data(object_file))
        self._engine.finalize_object()
        c_types = [_C_TYPES[passed] for passed in _llvm_types(kinds)]
        prototype = ctypes.CFUNCTYPE(ctypes.c_int32, *c_types)
        self._function = prototype(self._engine.get_function_address(name))

    def __call__(self, values: list[Any]) -> Any:  # noqa: ANN401
        result, exception = self._result(), ctypes.c_void_p()
        status = self._function(ctypes.byref(result), ctypes.byref(exception), *values)
        if status:
            raise RuntimeError(f"compiled code failed with status {status}")
        numbers = tuple(getattr(result, name) for name, _ in self._fields)
        return numbers if self._is_tuple else numbers[0]


def _flatten(argument: Any, kinds: list[object], values: list[Any]) -> None:  # noqa: ANN401
    """List the kind of an argument, for which code is compiled, and the values that it passes."""
    if isinstance(argument, np.ndarray):
        flags = argument.flags
        order = "C" if flags.c_contiguous else "F" if flags.f_contiguous else "A"
        kinds.append((argument.dtype, argument.ndim, order, flags.writeable, flags.aligned))
        address = argument.__array_interface__["data"][0]
        values += (None, None, argument.size, argument.itemsize, address)
        values += (*argument.shape, *argument.strides)
    elif isinstance(argument, tuple):
        kinds.append(type(argument))
        for field in argument:
            _flatten(field, kinds, values)
    else:
        values.append(_plain(argument))
        kinds.append(type(values[-1]))


def _plain(argument: Any) -> Any:  # noqa: ANN401
    """Turn numpy's numbers into Python's."""
    if isinstance(argument, tuple):
        return type(argument)(*map(_plain, argument))
    return argument.item() if isinstance(argument, np.generic) else argument


def _llvm_types(kinds: list[object]) -> list[str]:
    """List what code gets for arguments of some kinds, after its result and its exception."""
    types = ["ptr", "ptr"]
    for kind in kinds:
        if isinstance(kind, tuple):
            _, n_dimensions, *_ = kind
            types += ["ptr", "ptr", "i64", "i64", "ptr", *["i64"] * (2 * n_dimensions)]
        elif isinstance(kind, type) and kind in _LLVM_TYPES:
            types.append(_LLVM_TYPES[kind])
    return types


def _description(found: Any, seen: set[str]) -> Iterator[str]:  # noqa: ANN401
    """Describe all that the code of a compiled function, or the value of a global, depends on."""
    if isinstance(found, _Compiled):
        function, code = found.function, found.function.__code__
        name = f"{function.__module__}.{function.__qualname__}"
        yield name
        if name not in seen:
            seen.add(name)
            yield repr((code.co_code.hex(), code.co_names, code.co_varnames))
            values = [*code.co_consts, *(cell.cell_contents for cell in function.__closure__ or ())]
            values += [function.__globals__.get(name) for name in code.co_names]
            for module in [value for value in values if isinstance(value, ModuleType)]:
                values += [getattr(module, name, None) for name in code.co_names]
            for value in values:
                yield from _description(value, seen)
    elif isinstance(found, np.ndarray):
        yield repr((found.dtype, found.shape, found.tobytes().hex()))
    else:  # a number, or what is known by its name
        yield repr((getattr(found, "__name__", repr(found)), getattr(found, "_fields", None)))


@cache
def _toolchain() -> str:
    """Name the processor, and the versions that compile for it."""
    versions = version("numba"), version("llvmlite"), sys.version_info[:2]
    return repr((llvm.get_host_cpu_name(), sorted(llvm.get_host_cpu_features().items()), versions))


def _read(name: str) -> bytes | None:
    """Read kept code; None if there is none, or none that can be trusted."""
    if (folder := kept_folder("compiled")) is None:
        return None
    try:
        with (folder / name).open("rb") as file:
            if not is_trusted(os.fstat(file.fileno())):
                raise ValueError("somebody else owns it")
            digest, code = file.read(_DIGEST_SIZE), file.read()
        if hashlib.sha256(code).digest() != digest:
            raise ValueError("it is damaged")
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        warn_once(_LOG, f"compiled code in {folder} cannot be read ({error}): compiling it again")
        return None
    return code


def _write(name: str, code: bytes) -> None:
    """Keep code, after its digest, if there is a folder and room."""
    if (folder := kept_folder("compiled")) is not None:
        try:
            write_bytes(folder / name, hashlib.sha256(code).digest() + code)
        except OSError as error:
            warn_once(_LOG, f"compiled code cannot be kept in {folder} ({error.strerror})")
