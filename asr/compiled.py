"""Compiled: functions over arrays, which numba turns into machine code once per machine.

Compiling takes seconds, so the code is kept in the user's cache folder, a file for each function
and kind of arguments. A later process loads that file in milliseconds and without numba, whose
import and first call take half a second.

A file is named by a digest of all that its code depends on: the function, what it calls, their
constants, the kinds of its arguments, and the processor. Stale code is never found.

Whoever writes these files decides what runs here. So they are read only from a folder that belongs
to the user (or root) and that nobody else can write. Without such a folder, or on a full disk, each
process compiles anew; a damaged file is replaced.

The code does not hold Python's lock: threads run it at the same time.
"""

import ctypes
import hashlib
import json
import logging
import os
import re
import stat
import sys
import threading
from collections.abc import Callable, Iterator
from functools import cache, update_wrapper
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple, ParamSpec, TypeVar, cast

import llvmlite  # type: ignore[import-untyped]
import llvmlite.binding as llvm  # type: ignore[import-untyped]
import numpy as np

from asr.files import write_bytes

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

_LOG = logging.getLogger(__name__)
_LOCK = threading.Lock()
_DECLARED = re.compile(r'^declare [^@]*@"?([^"(]+)"?\(', re.MULTILINE)
_DIGEST_SIZE = hashlib.sha256().digest_size

_C_TYPES: dict[str, Any] = {
    "bool": ctypes.c_bool,
    "float64": ctypes.c_double,
    "int64": ctypes.c_int64,
    "uint64": ctypes.c_uint64,
    "int32": ctypes.c_int32,
    "uint32": ctypes.c_uint32,
    "float32": ctypes.c_float,
    "none": ctypes.c_void_p,
}
_NUMBERS: tuple[tuple[tuple[type, ...], type, str], ...] = (  # a bool is an int, too
    ((bool, np.bool_), bool, "bool"),
    ((int, np.integer), int, "int64"),
    ((float, np.floating), float, "float64"),
)


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
        self._dispatcher: Any = None  # numba's
        self._codes: dict[tuple[object, ...], _Code] = {}

    def __call__(self, *arguments: Any) -> Any:  # noqa: ANN401 -- `compiled` says what they are
        kinds: list[object] = []
        values: list[Any] = []
        for argument in arguments:
            _flatten(argument, kinds, values)
        code = self._codes.get(tuple(kinds))
        if code is None:
            with _LOCK:
                code = _Code(self._load(arguments, kinds), kinds)
                self._codes[tuple(kinds)] = code
        return code(values)

    @property
    def _numba_type_(self) -> Any:  # noqa: ANN401 -- by this name numba finds what it can call
        return _numba().typeof(self._compiler())

    def _compiler(self) -> Any:  # noqa: ANN401
        if self._dispatcher is None:
            self._dispatcher = _numba().njit(
                self.function,
                error_model="numpy",
                no_cpython_wrapper=True,
                no_cfunc_wrapper=True,
                _nrt=False,
            )
        return self._dispatcher

    def _load(self, arguments: tuple[Any, ...], kinds: list[object]) -> "_KeptCode":
        """Read the code for some arguments, or compile and keep it."""
        fields = [getattr(kind, "_fields", None) for kind in kinds]
        parts = (_processor(), repr(kinds), repr(fields), *_description(self, set()))
        depends_on = "\n".join(parts)
        digest = hashlib.sha256(depends_on.encode()).hexdigest()[:32]
        name = f"{self.function.__module__}.{self.function.__name__}-{digest}"
        kept = _read(name)
        if kept is None:
            kept = self._compile(arguments)
            _write(name, kept)
        return kept

    def _compile(self, arguments: tuple[Any, ...]) -> "_KeptCode":
        _say_once("compiling for this machine: some seconds, the first time")
        types = tuple(_numba().typeof(_plain(argument)) for argument in arguments)
        self._compiler().compile(types)
        found = self._compiler().overloads[types]
        result = found.signature.return_type
        is_tuple = isinstance(result, _numba().types.BaseTuple)
        symbols = _DECLARED.findall(found.library.get_llvm_str())
        return _KeptCode(
            name=found.fndesc.llvm_func_name,
            result=[str(number) for number in (result if is_tuple else [result])],
            is_tuple=is_tuple,
            needs=[symbol for symbol in symbols if not symbol.startswith("llvm.")],
            machine_code=found.library.serialize_using_object_code()[2][0],
        )


class _KeptCode(NamedTuple):
    """What is kept of a function.

    Attributes:
        name: The function's in the machine code.
        result: The types of the numbers that it returns.
        is_tuple: Whether it returns them as a tuple.
        needs: The functions of the process that it calls.
        machine_code: An object file.
    """

    name: str
    result: list[str]
    is_tuple: bool
    needs: list[str]
    machine_code: bytes

    def to_bytes(self) -> bytes:
        """Write a digest, a line of JSON, and the machine code."""
        body = json.dumps(self[:-1]).encode() + b"\n" + self.machine_code
        return hashlib.sha256(body).digest() + body

    @classmethod
    def from_bytes(cls, content: bytes) -> "_KeptCode":
        """Read what `to_bytes` wrote; ValueError if it is damaged."""
        digest, body = content[:_DIGEST_SIZE], content[_DIGEST_SIZE:]
        if hashlib.sha256(body).digest() != digest:
            raise ValueError("is damaged")
        header, _, machine_code = body.partition(b"\n")
        name, result, is_tuple, needs = json.loads(header)
        return cls(name, result, is_tuple, needs, machine_code)


class _Code:
    """Machine code in memory, called by numba's convention.

    A function gets a pointer to its result, a pointer for an exception, and its arguments: a named
    tuple's fields one by one, an array as `_flatten` lists it. It returns 0 if all is well.
    """

    def __init__(self, kept: _KeptCode, kinds: list[object]) -> None:
        machine = _target().create_target_machine(opt=3)
        self._engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine)
        self._engine.add_object_file(llvm.ObjectFileRef.from_data(kept.machine_code))
        self._engine.finalize_object()
        types = [c_type for kind in kinds for c_type in _c_types(kind)]
        prototype = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, ctypes.c_void_p, *types)
        self._function = prototype(self._engine.get_function_address(kept.name))
        self._fields = [(f"number_{i}", _C_TYPES[name]) for i, name in enumerate(kept.result)]
        self._result = type("Result", (ctypes.Structure,), {"_fields_": self._fields})
        self._is_tuple = kept.is_tuple

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
        number = _plain(argument)
        kinds.append(type(number))
        values.append(number)


def _plain(argument: Any) -> Any:  # noqa: ANN401
    """Turn numpy's numbers into Python's."""
    if isinstance(argument, tuple):
        return type(argument)(*map(_plain, argument))
    for types, plain, _ in _NUMBERS:
        if isinstance(argument, types):
            return plain(argument)
    return argument


def _c_types(kind: object) -> list[Any]:
    """List the C types of what `_flatten` passes for an argument of some kind."""
    if isinstance(kind, tuple):
        _, n_dimensions, *_ = kind
        pointer, number = ctypes.c_void_p, ctypes.c_int64
        return [pointer, pointer, number, number, pointer, *[number] * (2 * n_dimensions)]
    return [_C_TYPES[name] for _, plain, name in _NUMBERS if kind is plain]


def _description(found: Any, seen: set[str]) -> Iterator[str]:  # noqa: ANN401
    """Describe all that the code of a compiled function, or the value of a global, depends on."""
    if isinstance(found, _Compiled):
        function = found.function
        name = f"{function.__module__}.{function.__qualname__}"
        yield name
        if name not in seen:
            seen.add(name)
            code = function.__code__
            yield repr((code.co_code.hex(), code.co_names, code.co_varnames))
            for constant in code.co_consts:
                yield from _description(constant, seen)
            values = [cell.cell_contents for cell in function.__closure__ or ()]
            values += [function.__globals__.get(name) for name in code.co_names]
            for module in [value for value in values if isinstance(value, ModuleType)]:
                values += [getattr(module, name, None) for name in code.co_names]
            for value in values:
                yield from _description(value, seen)
    elif isinstance(found, np.ndarray):
        yield repr((found.dtype, found.shape, found.tobytes().hex()))
    else:  # a number, or what is known by its name
        yield repr((getattr(found, "__name__", repr(found)), getattr(found, "_fields", None)))


def _numba() -> Any:  # noqa: ANN401 -- without types for what is used here
    import numba  # here: kept code runs without it

    return numba


@cache
def _processor() -> str:
    """Name what runs the code: the processor, and the versions that compile for it."""
    features = sorted(llvm.get_host_cpu_features().items())
    return repr((llvm.get_host_cpu_name(), features, llvmlite.__version__, sys.version_info[:2]))


@cache
def _target() -> Any:  # noqa: ANN401 -- llvmlite has no types
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    return llvm.Target.from_triple(llvm.get_process_triple())


@cache
def _folder() -> Path | None:
    """Find the folder of kept code, or make it; None, said once, if there is none to trust."""
    folder = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / "asr-ctc" / "compiled"
    try:
        folder = folder.expanduser()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.stat()
    except (OSError, RuntimeError) as error:  # RuntimeError: there is no home
        reason = str(error)
    else:
        if _is_owner(found) and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            return folder
        reason = "somebody else owns it or can write it"
    _say_once(f"compiled code is not kept in {folder} ({reason}): set XDG_CACHE_HOME to a folder")
    return None


def _is_owner(found: os.stat_result) -> bool:
    return found.st_uid in {0, os.getuid()}  # root need not plant code to run it


def _read(name: str) -> _KeptCode | None:
    """Read kept code; None if there is none that can run here."""
    folder = _folder()
    if folder is None:
        return None
    try:
        with (folder / name).open("rb") as file:
            if not _is_owner(os.fstat(file.fileno())):
                raise ValueError("somebody else owns it")
            kept = _KeptCode.from_bytes(file.read())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        _say_once(f"compiled code in {folder} cannot be read ({error}): compiling it again")
        return None
    return kept if all(map(llvm.address_of_symbol, kept.needs)) else None


def _write(name: str, kept: _KeptCode) -> None:
    """Keep code, if there is a folder and room."""
    folder = _folder()
    if folder is not None:
        try:
            write_bytes(folder / name, kept.to_bytes())
        except OSError as error:
            _say_once(f"compiled code cannot be kept in {folder} ({error.strerror})")


@cache
def _say_once(message: str) -> None:
    _LOG.warning(message)
