/* What a file is, as text. */
#include "file_text.h"
#include <stdio.h>

void text_mode(char text[11], uint32_t mode)
{
	static const char types[] = "?pc?d?b?-?l?s???", bits[] = "rwxrwxrwx";

	text[0] = types[mode >> 12 & 15];
	for (unsigned i = 0; i < 9; i++)
		text[1 + i] = mode >> (8 - i) & 1 ? bits[i] : '-';
	text[10] = '\0';
}

/* Years are counted from March on, so that the day that some of them have more is the last one; 400 of them have
 * 146097 days. Month m, with March as 0, begins on day (153 * m + 2) / 5. */
void text_time(char text[20], int64_t ns)
{
	int64_t seconds = ns / 1000000000 - (ns % 1000000000 < 0);
	int64_t day = seconds / 86400 - (seconds % 86400 < 0);
	unsigned second = (unsigned)(seconds - day * 86400);
	uint64_t since = (uint64_t)(day + 719468); /* days since 0000-03-01; ns since 1970 do not reach further back */
	unsigned in_era = (unsigned)(since % 146097);
	unsigned year = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
	unsigned in_year = in_era - (365 * year + year / 4 - year / 100);
	unsigned month = (5 * in_year + 2) / 153;

	snprintf(text, 20, "%04u-%02u-%02u %02u:%02u:%02u", (unsigned)(since / 146097 * 400) + year + (month >= 10),
		 month < 10 ? month + 3 : month - 9, in_year - (153 * month + 2) / 5 + 1, second / 3600,
		 second / 60 % 60, second % 60);
}
