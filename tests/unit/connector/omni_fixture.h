/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_UNIT_CONNECTOR_OMNI_FIXTURE_H
#define TESTS_UNIT_CONNECTOR_OMNI_FIXTURE_H

#include "connector/omni_connector.h"
#include "omni_script.h"
#include "omni_support.h"

/* One connector over a scripted binding, on a simulated loop. */
struct fixture {
    struct rt_loop *loop;
    struct rt_network *network;
    struct script script;
    struct omni_environment environment;
    enum omni_model model;
    struct omni_arena *arena;
    struct omni_connector *connector;
    int created_count, put_count, get_count;
    char log[8192], created_text[600], put_text[300], get_text[300];
    char get_data[200]; /* described; "nothing" */
    struct omni_put_result put;
    struct omni_get_result get;
    bool is_destroying_in_callback;
};

int set_up(void **state);
int tear_down(void **state); /* also: the laws hold, nothing is left */

void run(struct fixture *fx); /* until nothing can happen any more */
void run_until_us(struct fixture *fx, uint64_t time_us);

void create(struct fixture *fx, const struct omni_value *extra);
void create_ready(struct fixture *fx); /* without options; must succeed */
void create_with(struct fixture *fx, const char *key, const struct omni_value *value);
struct omni_value *text(struct fixture *fx, const char *chars);

/* Of the key "request", stages 0 and 1; they end in on_put() and on_get(). */
void put(struct fixture *fx, const struct omni_value *data);
void get(struct fixture *fx);
void on_put(void *arg, const struct omni_put_result *result);
void on_get(void *arg, const struct omni_get_result *result);
void on_created(void *arg, struct omni_connector *connector, const char *text);

struct omni_metrics metrics_of(struct fixture *fx); /* fails when a law is broken */
void assert_logged(struct fixture *fx, const char *part);

/* What the scripted client says to the next calls. */
void answer_status(struct fixture *fx, int32_t code, enum ds_detail detail, const char *chars);

#endif
