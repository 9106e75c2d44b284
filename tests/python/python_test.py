# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""The Python package as its users see it, and the session of its page.

usage: python_test.py ROOT        (PYTHONPATH: the package)
"""
import doctest
import gc
import os
import resource
import sys
import tempfile
import threading
import traceback
import weakref

import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'cli'))
import cimc  # noqa: E402
from cimc._library import Call, ffi, lib  # noqa: E402
from onnx_bytes import INT8, onnx_model, onnx_node  # noqa: E402
from tap import Tap  # noqa: E402

ROOT = os.path.abspath(sys.argv[1])
DIGITS = os.path.join(ROOT, 'benchmarks', 'digits', 'digits.onnx')
# y = x * w + b by hand: [1, 2] * [[1, 2, 3], [4, 5, 6]] + [0.5, 0, -0.5]
DENSE = onnx_model([onnx_node('MatMul', ['x', 'w'], 'm', 'dense'), onnx_node('Add', ['m', 'b'], 'y', 'bias')],
                   {'w': ([2, 3], [1, 2, 3, 4, 5, 6]), 'b': ([3], [0.5, 0, -0.5])}, {'x': [1, 2]}, {'y': [1, 3]})
X, Y = np.float32([[1, 2]]), np.float32([[9.5, 12, 14.5]])


def raised(kind, call, *args, **kwargs):
    try:
        call(*args, **kwargs)
    except kind as error:
        return error
    raise AssertionError('no %s' % kind.__name__)


def sources():
    """models as path, bytes, named bytes and objects that are serialised"""
    class Proto:
        def SerializeToString(self):
            return DENSE

    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, 'dense.onnx')
        with open(path, 'wb') as file:
            file.write(DENSE)
        for model in (path, DENSE, bytearray(DENSE), Proto()):
            assert np.array_equal(cimc.compile(model).run(X), Y)
    both = cimc.compile({'a': DENSE, 'b': DENSE})
    assert [p.name for p in both.inputs] == ['a/x', 'b/x']
    first, second = both.run({'a/x': X, 'b/x': 2 * X})
    assert np.array_equal(first, Y) and np.array_equal(second, [[18.5, 24, 29.5]])


def arrays():
    """elements of other types, gaps, byte orders, shapes; frames; outputs outlive their run"""
    program = cimc.compile(DENSE, frames=2)
    wide = np.arange(16, dtype='f4').reshape(4, 4)
    for x in (X, X.astype('f8'), X.astype('i8'), X.astype('>f4'), wide[:1, 1:3], wide[:1, 1:4:1][:, ::1][:, :2]):
        assert np.allclose(program.run(x)[0], np.float64(x)[0] @ [[1, 2, 3], [4, 5, 6]] + [0.5, 0, -0.5])
    frames = np.float32([[1, 2], [3, 4]])
    outputs = [program.run(frames) for _ in range(20)]
    assert all(np.array_equal(out, [[9.5, 12, 14.5], [19.5, 26, 32.5]]) for out in outputs)
    raised(TypeError, program.run, X.astype('c8'))
    assert raised(cimc.CimcError, program.run, np.zeros((1, 7), 'f4')).diagnostics[0].code == 'data'
    assert raised(KeyError, program.run, {'z': X})


def integers():
    """integer elements of a quantised model come and go as they are"""
    model = onnx_model([onnx_node('DequantizeLinear', ['x', 's', 'z'], 'f', 'd'), onnx_node('QuantizeLinear', ['f', 's', 'z'], 'y', 'q')],
                       {'s': ([], [0.5]), 'z': ([], [0], INT8)}, {'x': ([1, 4], INT8)}, {'y': ([1, 4], INT8)})
    x = np.int8([[-128, -1, 0, 127]])
    out = cimc.compile(model).run(x)
    assert out.dtype == np.int8 and np.array_equal(out, x)


def comparison():
    """expected outputs, those of the model, labels"""
    program = cimc.compile(DENSE)
    result = program.simulate(X, expected={'y': Y}, labels=[2])
    assert result.passed and result.n_right == 1 and result.difference().max_abs_error == 0
    assert result.difference().max_abs_reference == 14.5 and result.cycles == program.makespan_cycles
    error = raised(cimc.MismatchError, program.simulate, X, expected=[Y + [[0, 0, 1]]])
    assert error.diagnostics[0].code == 'mismatch' and error.simulation.difference().worst == 2
    assert np.array_equal(error.simulation.outputs[0], Y) and not error.simulation.passed
    assert np.array_equal(program.simulate(X).expected[0], Y)
    assert np.array_equal(cimc.evaluate(DENSE, X), Y)


def given():
    """what is given is compared: an array alone, of zeros too; not one without elements, several in one, labels that are none"""
    program = cimc.compile(DENSE)
    assert program.simulate(X, expected=Y).difference().max_abs_error == 0
    assert raised(cimc.MismatchError, program.simulate, X, expected=np.zeros((1, 3), 'f4')).simulation.difference().max_abs_error == 14.5
    sum_of_two = onnx_model([onnx_node('ReduceSum', ['x'], 'y', 'sum')], {}, {'x': [1, 2]}, {'y': [1, 1]})
    raised(cimc.MismatchError, cimc.load_model(sum_of_two).evaluate, X, expected=np.zeros((1, 1), 'f4'))    # 3, which 0 is not
    for nothing in [np.zeros((0, 3), 'f4')], np.zeros((0, 3), 'f4'):
        assert raised(cimc.CimcError, program.simulate, X, expected=nothing).diagnostics[0].code == 'data'
    both = cimc.compile({'a': DENSE, 'b': DENSE})
    raised(TypeError, both.simulate, X, X, expected=np.concatenate([Y, Y]))
    assert both.simulate(X, X, expected=[Y, None]).passed
    for labels in [2.5], [float('nan')], [2**64 - 1], []:
        raised(ValueError, program.simulate, X, labels=labels)
    assert program.simulate(X, labels=np.float32([2])).n_right == 1


def faults():
    """exceptions with code, file, entity; options by name; nothing is printed"""
    assert "did you mean 'extra-pes'" in str(raised(cimc.UsageError, cimc.compile, DENSE, extra_pess=1))
    raised(ValueError, cimc.compile, DENSE, extra_pes='many')
    error = raised(cimc.CimcError, cimc.compile, '/no/such.onnx')
    assert error.diagnostics[0].code == 'io' and error.diagnostics[0].file == '/no/such.onnx'
    assert raised(cimc.CimcError, cimc.compile, DENSE, arch_field={'rows': 'x'}).diagnostics[0].code == 'arch-value'
    assert raised(cimc.CimcError, cimc.compile, DENSE[:-9]).diagnostics[0].code == 'onnx-wire'
    assert raised(cimc.CimcError, cimc.load, b'nothing').diagnostics[0].code == 'program'
    odd = onnx_model([onnx_node('Frobnicate', ['x'], 'y', 'odd')], {}, {'x': [1, 2]}, {'y': [1, 2]})
    assert raised(cimc.CimcError, cimc.compile, odd).diagnostics[0].code == 'onnx-unsupported'
    assert len(cimc.option_help()['extra_pes']) > 10
    with Call() as call:    # a mistake has a text, and no diagnostic
        error = raised(cimc.InternalError, call.check, lib.cimc_import(call.at, ffi.NULL, 1, ffi.NULL, ffi.new('cimc_model **')))
    assert 'NULL' in str(error) and 'cancelled' not in str(error)
    for call in (cimc.compile, DIGITS + '\0x'), (cimc.compile, {'a\0b': DENSE}), (cimc.load, 'a\0b'):
        raised(ValueError, *call)
    raised(ValueError, cimc.compile, DENSE, arch='mesh\0x')


def interrupts():
    """progress that returns False, or raises, stops a call"""
    program = cimc.compile(DIGITS)
    seen = []

    def tell(what, done, total):
        seen.append(what)
        return False

    options = {'duplicate': 'makespan', 'extra_pes': 64}
    raised(cimc.Cancelled, cimc.compile, DIGITS, progress=tell, **options)
    assert seen

    def interrupt(what, done, total):
        raise KeyboardInterrupt

    raised(KeyboardInterrupt, cimc.compile, DIGITS, progress=interrupt, **options)
    assert program.run(np.zeros((1, 1, 28, 28), 'f4')).shape == (1, 10)


def memory():
    """a call is gone when it is over, and what its progress function holds; no collector has to come"""
    def tell(what, done, total):
        return True

    gc.disable()
    try:
        with Call(tell) as call:
            pass
        gone = weakref.ref(call), weakref.ref(tell)
        del call, tell
        assert not gone[0]() and not gone[1]()
    finally:
        gc.enable()


def threads():
    """calls in several threads at once"""
    image, results = np.load(os.path.join(ROOT, 'benchmarks', 'digits', 'calibration.npy'))[:1].astype('f4') / 255, []

    def work():
        results.append(cimc.compile(DIGITS, extra_pes=8).run(image))

    started = [threading.Thread(target=work) for _ in range(4)]
    for thread in started:
        thread.start()
    for thread in started:
        thread.join()
    assert len(results) == 4 and all(np.array_equal(r, results[0]) for r in results)


def files():
    """save, load, bytes, report, pictures, text"""
    program = cimc.compile(DIGITS, extra_pes=32)
    with tempfile.TemporaryDirectory() as folder:
        path, page = os.path.join(folder, 'd.cim'), os.path.join(folder, 'd.html')
        program.save(path)
        program.report(page)
        again = cimc.load(path)
        with open(path, 'rb') as file:
            assert file.read() == bytes(program) == bytes(again)
        with open(page, encoding='utf-8') as file:
            assert '</html>' in file.read()
            before = file.seek(0) or file.read()
        program.save(os.fsencode(folder) + b'/bytes.cim')
        assert os.path.getsize(os.path.join(folder, 'bytes.cim')) == os.path.getsize(path)
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)    # as where the disk is full
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
        try:
            raised(cimc.CimcError, program.report, page)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        with open(page, encoding='utf-8') as file:
            assert file.read() == before and sorted(os.listdir(folder)) == ['bytes.cim', 'd.cim', 'd.html']
        image = np.ones((1, 1, 28, 28), 'f4')
        assert np.array_equal(again.run(image), program.run(image))
        program.dump(os.path.join(folder, 'rtl'), input_fill='ramp', format='bin')
        view = {f['name']: f for w in cimc.words()['words'] if w['name'] == 'view' for f in w['fields']}
        with open(os.path.join(folder, 'rtl', 'tile_0000', 'table_views.bin'), 'rb') as file:
            word = int.from_bytes(file.read(68), 'little')
        assert word >> view['height']['lsb'] & (1 << view['height']['bits']) - 1 == 28, word
        raised(cimc.UsageError, program.dump, os.path.join(folder, 'other'), checksums=True)
    assert '<svg' in program.svg() and '<table>' in program._repr_html_() and '/conv1/Conv' in program._repr_html_()
    assert 'mvm' in program.disassemble() and 'meaning' in program.check() and 'meaning' not in again.check()
    sets = program.schedule
    assert sets.dtype.itemsize == 64 and sets['end'].max() == program.makespan_cycles and (np.diff(sets['start'].astype('i8')) >= 0).all()
    area = np.bincount(sets['layer'], sets['h'] * sets['w'])
    for layer, pixels in zip(program.layers, area):
        assert pixels >= layer.height * layer.width    # more where a copy lies on several tiles
    assert program.json['makespan_cycles'] == program.makespan_cycles and again.schedule.size == 0
    verdict = program.findings['verdict']
    assert sum(x['cycles'] for x in verdict['units']) == program.makespan_cycles and 'hold the network up' in verdict['sentences'][0]


def session():
    """what stands in PYTHON.md, and in the README"""
    for page, folder, least in ('README.md', '', 3), ('frontend/python/PYTHON.md', 'benchmarks/digits', 11):
        os.chdir(os.path.join(ROOT, folder))
        failed, tried = doctest.testfile(os.path.join(ROOT, page), module_relative=False,
                                         optionflags=doctest.NORMALIZE_WHITESPACE | doctest.IGNORE_EXCEPTION_DETAIL)
        assert tried >= least and not failed, page


def main():
    tap = Tap()
    for case in (sources, arrays, integers, comparison, given, faults, interrupts, memory, threads, files, session):
        try:
            case()
            problems = []
        except Exception:
            problems = [traceback.format_exc()]
        tap.point(case.__doc__, problems)
    sys.exit(tap.finish())


main()
