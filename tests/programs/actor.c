// SPDX-License-Identifier: MIT
/*
 * The program under test: performs the words of its command line in order, each with its arguments,
 * and ends with status 0. The words are the rows of the tables at the ends of the files in words/.
 *
 *     actor connect 3 4 127.0.0.1 8080 await-unread 3 1 close 3 say closed hear end
 *
 * A descriptor that a word opens is named, and must come out as named: programs rely on the lowest
 * free number. Each close-like call is told on stdout with its result and errno, which was set to
 * ERRNO_BEFORE: "close 3 -> 0 errno 4242". A word that cannot be performed ends the program with
 * STATUS_FAILED. Neither stdio nor malloc is used where a word is not about them; waits end after
 * WAIT_MS.
 */
#include "words/words.h"

#include <string.h>

static const struct word *const vocabulary[] = {
	words_opening,
	words_waiting,
	words_using,
	words_sharing,
	words_closing,
	words_ending,
	words_processes,
	words_exec,
	words_rings,
};

static const struct word *find_word(const char *name)
{
	for (size_t i = 0; i < sizeof(vocabulary) / sizeof(vocabulary[0]); i++) {
		for (const struct word *word = vocabulary[i]; word->name; word++) {
			if (strcmp(word->name, name) == 0) {
				return word;
			}
		}
	}
	return NULL;
}

char **behind_block(char **words)
{
	int depth = 1;

	while (*words) {
		const struct word *word = find_word(*words);

		if (strcmp(*words, "end") == 0) {
			words++;
			if (--depth == 0) {
				return words;
			}
			continue;
		}
		must(word != NULL, "no such word");
		depth += (word->arguments & BLOCK) != 0;
		words++;
		for (int i = 0; i < (word->arguments & ~BLOCK) && *words; i++) {
			words++;
		}
	}
	give_up("no end");
}

void run_words(char **words)
{
	next_word = words;
	while (*next_word && strcmp(*next_word, "end") != 0) {
		const struct word *word = find_word(*next_word);
		char **arguments = next_word + 1;
		int count;

		running_word = *next_word;
		must(word != NULL, "no such word");
		count = word->arguments & ~BLOCK;
		for (int i = 0; i < count; i++) {
			must(arguments[i] != NULL, "arguments are missing");
		}
		next_word = arguments + count;
		word->perform(arguments);
	}
}

int main(int argc, char **argv)
{
	(void)argc;
	run_words(argv + 1);
	return 0;
}
