/* What the benchmark shares with guests: a folder of files whose names and sizes the guests know. */
#ifndef BENCH_TREE_H
#define BENCH_TREE_H

#define BENCH_TREE_DIRECTORIES 100    /* tree/d00 to d99, each with as many files, f00 to f99 */
#define BENCH_TREE_FLAT	       10000  /* flat/n000000 and so on */
#define BENCH_TREE_MANY	       100000 /* the same in many */
#define BENCH_TREE_DATA_MIB    256    /* of the file data, which the host has in memory */
#define BENCH_TREE_HOLES_MIB   1024   /* of the file holes, which has no blocks */

/* Makes the folder, which does not exist, with all that and an empty directory `made`. -errno: some of it may be there.
 */
int bench_tree_make(const char *folder);
/* Empties `made`. */
void bench_tree_clear(const char *folder);
/* Removes the folder. */
void bench_tree_remove(const char *folder);

#endif
