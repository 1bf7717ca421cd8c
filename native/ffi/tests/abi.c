/* Uses the library as a C program would: careless calls, a panic on purpose, and a whole update.
 * Arguments: the requests that set an environment and update it, and the number of profiles that the update must bring;
 * or `repeat`, a request and a number: the operation is run so often, for those who watch the memory.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef _WIN32
#include <windows.h>
#else
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>
#endif

#include "../include/aws_sso.h"

#define CHECK(condition)                                                                   \
    do {                                                                                   \
        if (!(condition)) {                                                                \
            fprintf(stderr, "line %d: %s does not hold\n", __LINE__, #condition);          \
            exit(1);                                                                       \
        }                                                                                  \
    } while (0)

static SsoOperation *start(const char *request) {
    SsoOperation *operation = NULL;
    CHECK(sso_operation_start((const uint8_t *)request, strlen(request), &operation) == SsoStatus_Event);
    CHECK(operation != NULL);
    return operation;
}

/* Pulls all events; counts those that have `word` in them. */
static int count_events(const char *request, const char *word) {
    SsoOperation *operation = start(request);
    int count = 0;
    for (;;) {
        void *bytes = NULL;
        uint64_t length = 0;
        SsoStatus status = sso_operation_next(operation, &bytes, &length);
        if (status == SsoStatus_End) {
            CHECK(bytes == NULL && length == 0);
            break;
        }
        CHECK(status == SsoStatus_Event && bytes != NULL && length > 0);
        char *text = calloc(length + 1, 1);
        memcpy(text, bytes, length);
        count += strstr(text, word) != NULL;
        if (strstr(text, "\"failed\"") != NULL && strstr(word, "failed") == NULL) {
            fprintf(stderr, "%s\n", text);
        }
        free(text);
        sso_bytes_free(bytes, length);
    }
    sso_operation_free(operation);
    return count;
}

static void careless_calls(void) {
    SsoOperation *operation = (SsoOperation *)1;
    void *bytes = NULL;
    uint64_t length = 0;
    const uint8_t garbage[] = "{\"operation\":{\"fly\":{}}}";
    CHECK(sso_operation_start(NULL, 0, &operation) == SsoStatus_NullArgument);
    CHECK(sso_operation_start(garbage, sizeof garbage - 1, NULL) == SsoStatus_NullArgument);
    CHECK(sso_operation_start(garbage, sizeof garbage - 1, &operation) == SsoStatus_InvalidRequest && operation == NULL);
    CHECK(sso_operation_start(garbage, 0, &operation) == SsoStatus_InvalidRequest);
    CHECK(sso_operation_start(garbage, UINT64_MAX, &operation) == SsoStatus_InvalidRequest);
    CHECK(sso_operation_start((const uint8_t *)"\xff\xfe", 2, &operation) == SsoStatus_InvalidRequest);
    CHECK(sso_operation_next(NULL, &bytes, &length) == SsoStatus_NullArgument);
    CHECK(sso_operation_cancel(NULL) == SsoStatus_NullArgument);
    sso_operation_free(NULL);
    sso_bytes_free(NULL, 7);
    operation = start("{\"operation\":{\"get_environment\":{}}}");
    CHECK(sso_operation_next(operation, NULL, &length) == SsoStatus_NullArgument);
    CHECK(sso_operation_next(operation, &bytes, NULL) == SsoStatus_NullArgument);
    CHECK(sso_operation_cancel(operation) == SsoStatus_Event);
    CHECK(sso_operation_cancel(operation) == SsoStatus_Event);
    sso_operation_free(operation);
}

#ifdef _WIN32
typedef HANDLE Thread;

static DWORD WINAPI cancel(void *operation) {
    CHECK(sso_operation_cancel(operation) == SsoStatus_Event);
    return 0;
}

static Thread start_to_cancel(SsoOperation *operation) {
    Thread thread = CreateThread(NULL, 0, cancel, operation, 0, NULL);
    CHECK(thread != NULL);
    return thread;
}

static void wait_for(Thread thread) {
    CHECK(WaitForSingleObject(thread, INFINITE) == WAIT_OBJECT_0 && CloseHandle(thread));
}
#else
typedef pthread_t Thread;

static void *cancel(void *operation) {
    CHECK(sso_operation_cancel(operation) == SsoStatus_Event);
    return NULL;
}

static Thread start_to_cancel(SsoOperation *operation) {
    Thread thread;
    CHECK(pthread_create(&thread, NULL, cancel, operation) == 0);
    return thread;
}

static void wait_for(Thread thread) {
    CHECK(pthread_join(thread, NULL) == 0);
}
#endif

/* Cancels from another thread while this one pulls. */
static void cancel_while_it_runs(const char *request) {
    SsoOperation *operation = start(request);
    void *bytes = NULL;
    uint64_t length = 0;
    CHECK(sso_operation_next(operation, &bytes, &length) == SsoStatus_Event);
    sso_bytes_free(bytes, length);
    Thread thread = start_to_cancel(operation);
    while (sso_operation_next(operation, &bytes, &length) == SsoStatus_Event) {
        sso_bytes_free(bytes, length);
    }
    wait_for(thread);
    sso_operation_free(operation);
    /* Freed in the middle, with events that nobody took. */
    operation = start(request);
    CHECK(sso_operation_next(operation, &bytes, &length) == SsoStatus_Event);
    sso_bytes_free(bytes, length);
    sso_operation_free(operation);
}

#ifndef _WIN32
/* A child of a process that has used the network has none of its threads: it gets an error, and does not hang. */
static void fork_and_ask(const char *request) {
    int status = 0;
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        alarm(60);
        _exit(count_events(request, "was forked") == 1 ? 0 : 1);
    }
    CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
}
#endif

int main(int argc, char **argv) {
    CHECK(argc == 4 || argc == 5);
    if (strcmp(argv[1], "repeat") == 0) {
        for (int left = atoi(argv[3]); left > 0; left--) {
            count_events(argv[2], "");
        }
        puts("whole");
        return 0;
    }
    CHECK(sso_abi_version() == SSO_ABI_VERSION);
    careless_calls();
    CHECK(count_events("{\"operation\":\"panic\"}", "this panic was asked for, at native") == 1);
    CHECK(count_events(argv[1], "\"environment\"") == 1);
    CHECK(count_events(argv[2], "\"status\":\"Created\"") == atoi(argv[3]));
    CHECK(count_events(argv[2], "\"status\":\"StillValid\"") == atoi(argv[3]));
    cancel_while_it_runs(argv[2]);
#ifndef _WIN32
    if (argc == 5) {
        fork_and_ask(argv[4]);
    }
#endif
    puts("whole");
    return 0;
}
