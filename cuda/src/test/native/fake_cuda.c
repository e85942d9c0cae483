/* A driver that has a version and nothing else. */
int cuDriverGetVersion(int *version) {
    *version = 13000;
    return 0;
}
