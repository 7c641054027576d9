// SPDX-License-Identifier: MIT
/* fetch PORT NAME CA: GET / over TLS, with socket options and no TLS library. */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/socktls.h>

int main(int argc, char **argv)
{
	struct sockaddr_in to = { .sin_family = AF_INET };
	struct socktls_handshake hs = { .role = SOCKTLS_CLIENT };
	struct socktls_error error = { 0 };
	socklen_t len = sizeof(error);
	static char pem[SOCKTLS_TRUST_MAX], page[65536];
	const char get[] = "GET / HTTP/1.0\r\n\r\n";
	FILE *ca = argc == 4 ? fopen(argv[3], "r") : NULL;
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	ssize_t n;

	if (!ca || fd < 0)
		return fprintf(stderr, "usage: fetch PORT NAME CA\n"), 64;
	n = fread(pem, 1, sizeof(pem), ca);
	to.sin_port = htons(atoi(argv[1]));
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)))
		return perror("connect"), 2;
	if (setsockopt(fd, SOL_TCP, TCP_ULP, "socktls", 7) ||
	    setsockopt(fd, SOL_TLS, SOCKTLS_SERVER_NAME, argv[2],
		       strlen(argv[2])) ||
	    setsockopt(fd, SOL_TLS, SOCKTLS_TRUST, pem, n) ||
	    setsockopt(fd, SOL_TLS, SOCKTLS_HANDSHAKE, &hs, sizeof(hs))) {
		perror("TLS");
		getsockopt(fd, SOL_TLS, SOCKTLS_ERROR, &error, &len);
		printf("errno %u alert %u: %s\n", error.error, error.alert,
		       error.text);
		return 3;
	}
	if (write(fd, get, sizeof(get) - 1) < 0)
		return perror("write"), 4;
	while ((n = read(fd, page, sizeof(page))) > 0)
		fwrite(page, 1, n, stdout);
	return n < 0 ? perror("read"), 4 : 0;
}
