/* SPDX-License-Identifier: MIT */
/* What surrounds the C example of the README. */
int main(void)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *to;
	int fd;

	if (getaddrinfo("example.org", "443", &hints, &to))
		errx(1, "getaddrinfo");
	fd = socket(to->ai_family, to->ai_socktype, 0);
	if (connect(fd, to->ai_addr, to->ai_addrlen))
		err(1, "connect");
	if (fetch(fd) < 0)
		err(1, "fetch");
	return 0;
}
