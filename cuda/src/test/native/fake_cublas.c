/*
 * A cuBLAS with four functions. It has no cublasDestroy_v2 and no text for a status. Each returns 0 only if every
 * argument has arrived, on the stack as well.
 */
extern int fake_cublas_lt_version(void);

static int handle_value;

int cublasCreate_v2(void **handle) {
    *handle = &handle_value;
    return 0;
}

int cublasGetVersion_v2(void *handle, int *version) {
    *version = fake_cublas_lt_version();
    return handle == &handle_value ? 0 : 1;
}

int cublasSgemm_v2(void *handle, int transa, int transb, int m, int n, int k, const float *alpha, const float *a, int lda,
                   const float *b, int ldb, const float *beta, float *c, int ldc) {
    int right = handle == &handle_value && transa == 0 && transb == 1 && m == 11 && n == 22 && k == 33 && lda == 44 &&
                ldb == 55 && ldc == 66 && !a && !b && !c && *alpha == 2.5f && *beta == -0.5f;
    return right ? 0 : 7;
}
