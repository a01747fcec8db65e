#include <stdio.h>

#include "greeting.h"

int main(int argc, char **argv) {
    char line[80];
    FILE *planets = argc > 1 ? fopen(argv[1], "r") : NULL;
    if (!planets) {
        fprintf(stderr, "usage: almanac PLANETS\n");
        return 2;
    }
    while (fscanf(planets, "%79s", line) == 1) {
        printf("%s, %s!\n", greeting(), line);
    }
    return 0;
}
