/* What the stand-in of cuBLAS takes from libcublasLt. */
int fake_cublas_lt_version(void) {
    return 130042;
}
