/* System calls on files (system_calls.def says what they do), and the files that a task has open. */
#ifndef FILE_CALLS_H
#define FILE_CALLS_H

long call_open(const unsigned long *arguments);
long call_close(const unsigned long *arguments);
long call_read(const unsigned long *arguments);
long call_file_write(const unsigned long *arguments);
long call_list(const unsigned long *arguments);
long call_stat(const unsigned long *arguments);

/* Closes all that the current task has open: it ends. */
void close_files(void);

#endif
