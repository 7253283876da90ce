/* Never ends and never gives its turn away: the timer has to take it. */
int main(long argument);

int main(long argument)
{
	for (volatile unsigned long rounds = 0;; rounds++)
		;
	return (int)argument;
}
