// SPDX-License-Identifier: MIT
/*
 * The mutator of chunks.c for AFL++, as its custom mutator. What libFuzzer gives
 * it beside, mutation of plain bytes, is here in small; AFL++'s own mutators run
 * as well.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/**
 * struct mutator - one for each afl-fuzz
 * @seed: of the next mutation
 * @out: what it made
 * @size: bytes allocated for it
 */
struct mutator {
	unsigned int	seed;
	uint8_t		*out;
	size_t		size;
};

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size,
			       unsigned int seed);
void *afl_custom_init(void *afl, unsigned int seed);
size_t afl_custom_fuzz(void *data, uint8_t *buf, size_t len, uint8_t **out,
		       uint8_t *add, size_t add_len, size_t max_size);
void afl_custom_deinit(void *data);

static unsigned int random_state;

static size_t below(size_t limit)
{
	random_state = random_state * 1664525 + 1013904223;
	return limit ? (random_state >> 8) % limit : 0;
}

static size_t insert(uint8_t *data, size_t size, size_t max_size)
{
	size_t at = below(size + 1), n = 1 + below(8);

	if (size + n > max_size)
		return size;
	memmove(data + at + n, data + at, size - at);
	memset(data + at, below(256), n);
	return size + n;
}

static size_t drop(uint8_t *data, size_t size)
{
	size_t at = below(size), n = 1 + below(8);

	if (n > size - at)
		n = size - at;
	memmove(data + at, data + at + n, size - at - n);
	return size - n;
}

static void copy(uint8_t *data, size_t size)
{
	size_t from = below(size), to = below(size), n = 1 + below(16);

	if (n > size - from)
		n = size - from;
	if (n > size - to)
		n = size - to;
	memmove(data + to, data + from, n);
}

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size)
{
	static const uint8_t odd[] = { 0, 1, 0x7f, 0x80, 0xfe, 0xff };

	if (!size)
		return insert(data, size, max_size);
	switch (below(6)) {
	case 0:
		data[below(size)] ^= 1 << below(8);
		break;
	case 1:
		data[below(size)] = below(256);
		break;
	case 2:
		data[below(size)] = odd[below(sizeof(odd))];
		break;
	case 3:
		copy(data, size);
		break;
	case 4:
		return insert(data, size, max_size);
	default:
		return drop(data, size);
	}
	return size;
}

void *afl_custom_init(void *afl, unsigned int seed)
{
	struct mutator *mutator = calloc(1, sizeof(*mutator));

	(void)afl;
	if (mutator)
		mutator->seed = seed;
	return mutator;
}

size_t afl_custom_fuzz(void *data, uint8_t *buf, size_t len, uint8_t **out,
		       uint8_t *add, size_t add_len, size_t max_size)
{
	struct mutator *mutator = data;
	size_t room = max_size > len ? max_size : len;
	uint8_t *grown;

	(void)add;
	(void)add_len;
	if (mutator->size < room) {
		grown = realloc(mutator->out, room);
		if (!grown)
			return 0;
		mutator->out = grown;
		mutator->size = room;
	}
	memcpy(mutator->out, buf, len);
	random_state = ++mutator->seed;
	*out = mutator->out;
	return LLVMFuzzerCustomMutator(mutator->out, len, max_size,
				       mutator->seed * 2654435761u);
}

void afl_custom_deinit(void *data)
{
	struct mutator *mutator = data;

	free(mutator->out);
	free(mutator);
}
