/* What a file is, as text. */
#ifndef FILE_TEXT_H
#define FILE_TEXT_H

#include <stdint.h>

/* "drwxr-xr-x" */
void text_mode(char text[11], uint32_t mode);

/* "2024-02-29 12:34:56", UTC, from ns since 1970. */
void text_time(char text[20], int64_t ns);

#endif
