/* The compiled twin of runs.py: the same function, which says there what it takes and returns.
 *
 * Built where there is a compiler, left out where there is none. It is plain C in float64, in blocks that stay in the
 * L1 cache; the lanes are for the vector units of any processor, and leave the result the same on all of them.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

/* The fields of Sums, in their order. */
enum { N, AA, BB, DD, AB, A, B, ABS_B, ABS_D, MAX_D, NANS_A, NANS_B, INFS_A, INFS_B, FIELDS };

/* Elements. Rounding errors grow with BLOCK / LANES, and with the number of blocks. */
enum { LANES = 8, BLOCK = 1024 };

/* Compiled several times; the loader takes the version for the vector units that the processor has. */
#if defined(__x86_64__) && defined(__GLIBC__) && defined(__has_attribute)
#if __has_attribute(target_clones)
#define FOR_ALL_PROCESSORS __attribute__((target_clones("avx512f", "avx2", "default")))
#endif
#endif
#ifndef FOR_ALL_PROCESSORS
#define FOR_ALL_PROCESSORS
#endif

/* Widen `count` elements and fill up with zeros, which change no sum, to whole lanes; return their number. */
FOR_ALL_PROCESSORS
static int read_block(const char *stored, Py_ssize_t itemsize, int count, double *block)
{
    if (itemsize == sizeof(double)) {
        memcpy(block, stored, (size_t)count * sizeof(double));
    } else {
        for (Py_ssize_t i = 0; i < count; i++) {
            float value; /* a payload may begin at any byte */
            memcpy(&value, stored + i * (Py_ssize_t)sizeof value, sizeof value);
            block[i] = value;
        }
    }
    while (count % LANES)
        block[count++] = 0;
    return count;
}

/* Add the sums of one block to those of its run. */
FOR_ALL_PROCESSORS
static void add_block(const double *as, const double *bs, int count, double *run)
{
    double sums[MAX_D + 1][LANES] = {{0}};
    for (Py_ssize_t i = 0; i < count; i += LANES) {
        for (Py_ssize_t lane = 0; lane < LANES; lane++) {
            double a = as[i + lane], b = bs[i + lane], d = a - b, abs_d = fabs(d);
            sums[AA][lane] += a * a;
            sums[BB][lane] += b * b;
            sums[DD][lane] += d * d;
            sums[AB][lane] += a * b;
            sums[A][lane] += a;
            sums[B][lane] += b;
            sums[ABS_B][lane] += fabs(b);
            sums[ABS_D][lane] += abs_d;
            sums[MAX_D][lane] = abs_d > sums[MAX_D][lane] ? abs_d : sums[MAX_D][lane];
        }
    }
    for (Py_ssize_t lane = 0; lane < LANES; lane++) {
        for (int field = AA; field < MAX_D; field++)
            run[field] += sums[field][lane];
        run[MAX_D] = sums[MAX_D][lane] > run[MAX_D] ? sums[MAX_D][lane] : run[MAX_D];
    }
}

/* Count what made a sum of a block NaN or infinite. */
static void count_special(const double *as, const double *bs, int count, double *run, int *has_nan)
{
    for (int i = 0; i < count; i++) {
        run[NANS_A] += isnan(as[i]) != 0;
        run[NANS_B] += isnan(bs[i]) != 0;
        run[INFS_A] += isinf(as[i]) != 0;
        run[INFS_B] += isinf(bs[i]) != 0;
        *has_nan |= isnan(as[i] - bs[i]);
    }
}

/* Take the sums of one run. */
static void sum_run(const char *a, const char *b, Py_ssize_t itemsize, Py_ssize_t size, double *run)
{
    double as[BLOCK], bs[BLOCK];
    int has_nan = 0;
    memset(run, 0, FIELDS * sizeof *run);
    run[N] = (double)size;
    for (Py_ssize_t at = 0; at < size; at += BLOCK) {
        int count = (int)(size - at < BLOCK ? size - at : BLOCK);
        int filled = read_block(a + at * itemsize, itemsize, count, as);
        read_block(b + at * itemsize, itemsize, count, bs);
        add_block(as, bs, filled, run);
        if (!isfinite(run[A] + run[B]))
            count_special(as, bs, count, run, &has_nan);
    }
    if (has_nan) /* a comparison passes over NaN, max|a-b| does not */
        run[MAX_D] = NAN;
}

/* Return whether a run of `size` elements from byte `start` on lies within a buffer. */
static int fits(int64_t start, int64_t size, Py_ssize_t itemsize, const Py_buffer *buffer)
{
    return size >= 0 && size <= buffer->len / itemsize && start >= 0 && start <= buffer->len - size * itemsize;
}

static PyObject *sum_runs(PyObject *module, PyObject *arguments)
{
    Py_buffer a, b, starts, sizes, table;
    Py_ssize_t itemsize;
    if (!PyArg_ParseTuple(arguments, "y*y*ny*y*w*:sum_runs", &a, &b, &itemsize, &starts, &sizes, &table))
        return NULL;
    const int64_t *start = starts.buf, *size = sizes.buf;
    double *out = table.buf;
    Py_ssize_t count = sizes.len / (Py_ssize_t)sizeof *size;
    const char *fault = NULL;
    if (itemsize != sizeof(float) && itemsize != sizeof(double))
        fault = "itemsize is neither 4 nor 8";
    else if (starts.len != 2 * sizes.len || table.len != FIELDS * count * (Py_ssize_t)sizeof *out)
        fault = "starts, sizes and table are not of one length";
    for (Py_ssize_t i = 0; i < count && !fault; i++)
        if (!fits(start[i], size[i], itemsize, &a) || !fits(start[count + i], size[i], itemsize, &b))
            fault = "a run lies outside its buffer";
    if (!fault) {
        Py_BEGIN_ALLOW_THREADS
        for (Py_ssize_t i = 0; i < count; i++) {
            double run[FIELDS];
            sum_run((const char *)a.buf + start[i], (const char *)b.buf + start[count + i], itemsize, size[i], run);
            for (int field = 0; field < FIELDS; field++)
                out[field * count + i] = run[field];
        }
        Py_END_ALLOW_THREADS
    }
    PyBuffer_Release(&a);
    PyBuffer_Release(&b);
    PyBuffer_Release(&starts);
    PyBuffer_Release(&sizes);
    PyBuffer_Release(&table);
    if (fault) {
        PyErr_SetString(PyExc_ValueError, fault);
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyMethodDef functions[] = {
    {"sum_runs", sum_runs, METH_VARARGS, "Write the sums of runs of two buffers into a table; see ipudebug.metrics.runs."},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef_Slot slots[] = {
#ifdef Py_mod_gil
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
#endif
    {0, NULL},
};

static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT, .m_name = "_runs", .m_methods = functions, .m_slots = slots,
};

PyMODINIT_FUNC PyInit__runs(void) { return PyModuleDef_Init(&module); }
