/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who somebody is: enabling, passwords and tokens. What they may do is in auth_permission.c, the
 * management of users and roles in auth_manage.c.
 */
#include "fakeetcd/auth/auth_internal.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

#define DIGEST_ROUNDS 1000 /* a fraction of a millisecond: passwords here guard nothing real */
#define TOKEN_LETTERS 16

static void expire(struct fakeetcd_auth *auth, uint64_t now_us);

enum rt_status fakeetcd_auth_create(struct rt_random *random, uint64_t token_ttl_us,
                                    struct fakeetcd_auth **out_auth)
{
    struct fakeetcd_auth *auth = calloc(1, sizeof(*auth));

    if (auth == NULL) {
        return RT_E_NOMEM;
    }
    auth->random = random;
    auth->token_ttl_us = token_ttl_us;
    auth->revision = 1; /* as a new etcd has */
    RB_INIT(&auth->users);
    RB_INIT(&auth->roles);
    TAILQ_INIT(&auth->tokens);
    *out_auth = auth;
    return RT_OK;
}

void fakeetcd_auth_destroy(struct fakeetcd_auth *auth)
{
    if (auth == NULL) {
        return;
    }
    fakeetcd__auth_forget_all(auth);
    free(auth);
}

bool fakeetcd_auth_is_enabled(const struct fakeetcd_auth *auth)
{
    return auth->is_enabled;
}

uint64_t fakeetcd_auth_revision(const struct fakeetcd_auth *auth)
{
    return auth->revision;
}

/* ---- on and off ---- */

/* Enabling alone is no new revision: nothing that could be cached has changed. */
enum fakeetcd_error fakeetcd_auth_enable(struct fakeetcd_auth *auth)
{
    const struct fakeetcd__user *root = fakeetcd__user_find(auth, rt_slice_text(FAKEETCD__ROOT));

    if (auth->is_enabled) {
        return FAKEETCD_OK;
    }
    if (root == NULL) {
        return FAKEETCD_E_ROOT_USER_NOT_EXIST;
    }
    if (fakeetcd__named_find(&root->roles, rt_slice_text(FAKEETCD__ROOT)) == NULL) {
        return FAKEETCD_E_ROOT_ROLE_NOT_EXIST;
    }
    auth->is_enabled = true;
    fakeetcd__tokens_drop(auth, NULL);
    return FAKEETCD_OK;
}

enum fakeetcd_error fakeetcd_auth_disable(struct fakeetcd_auth *auth)
{
    if (!auth->is_enabled) {
        return FAKEETCD_OK;
    }
    auth->is_enabled = false;
    auth->revision++;
    fakeetcd__tokens_drop(auth, NULL);
    return FAKEETCD_OK;
}

/* ---- passwords ---- */

bool fakeetcd__password_digest(struct rt_slice password, const uint8_t salt[FAKEETCD__SALT_BYTES],
                               uint8_t out_digest[FAKEETCD__DIGEST_BYTES])
{
    const char *text = password.len_bytes == 0 ? "" : (const char *)password.data;

    return password.len_bytes <= INT32_MAX &&
           PKCS5_PBKDF2_HMAC(text, (int)password.len_bytes, salt, FAKEETCD__SALT_BYTES,
                             DIGEST_ROUNDS, EVP_sha256(), FAKEETCD__DIGEST_BYTES, out_digest) == 1;
}

static bool is_password_of(const struct fakeetcd__user *user, struct rt_slice password)
{
    uint8_t digest[FAKEETCD__DIGEST_BYTES];

    return fakeetcd__password_digest(password, user->salt, digest) &&
           CRYPTO_memcmp(digest, user->digest, sizeof(digest)) == 0;
}

/* ---- tokens ---- */

static void drop(struct fakeetcd_auth *auth, struct fakeetcd__token *token)
{
    RT_TABLE_REMOVE(auth->token_table, token);
    TAILQ_REMOVE(&auth->tokens, token, entry);
    free(token);
}

/* Those of one user; NULL: all. */
void fakeetcd__tokens_drop(struct fakeetcd_auth *auth, const struct fakeetcd__user *user)
{
    struct fakeetcd__token *token = TAILQ_FIRST(&auth->tokens);

    while (token != NULL) {
        struct fakeetcd__token *next = TAILQ_NEXT(token, entry);
        if (user == NULL || token->user == user) {
            drop(auth, token);
        }
        token = next;
    }
}

void fakeetcd_auth_expire_tokens(struct fakeetcd_auth *auth)
{
    fakeetcd__tokens_drop(auth, NULL);
}

static void expire(struct fakeetcd_auth *auth, uint64_t now_us)
{
    struct fakeetcd__token *oldest = NULL;

    while ((oldest = TAILQ_FIRST(&auth->tokens)) != NULL && oldest->used_us <= now_us &&
           now_us - oldest->used_us >= auth->token_ttl_us) {
        drop(auth, oldest);
    }
}

static void write_token(struct fakeetcd_auth *auth, struct fakeetcd__token *token)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

    for (size_t i = 0; i < TOKEN_LETTERS; i++) {
        token->text[i] = letters[rt_random_below(auth->random, sizeof(letters) - 1)];
    }
    int len_bytes = snprintf(token->text + TOKEN_LETTERS, sizeof(token->text) - TOKEN_LETTERS,
                             ".%llu", (unsigned long long)++auth->token_serial);
    token->len_bytes = TOKEN_LETTERS + (size_t)len_bytes;
}

enum fakeetcd_error fakeetcd_auth_authenticate(struct fakeetcd_auth *auth, struct rt_slice user,
                                               struct rt_slice password, uint64_t now_us,
                                               char out_token[FAKEETCD_TOKEN_BYTES])
{
    struct fakeetcd__user *found = fakeetcd__user_find(auth, user);
    enum rt_status status = RT_OK;

    if (!auth->is_enabled) {
        return FAKEETCD_E_AUTH_NOT_ENABLED;
    }
    if (found != NULL && found->is_without_password) {
        return FAKEETCD_E_NO_PASSWORD_USER;
    }
    if (found == NULL || !is_password_of(found, password)) {
        return FAKEETCD_E_AUTH_FAILED;
    }
    expire(auth, now_us);
    struct fakeetcd__token *token = calloc(1, sizeof(*token));
    if (token == NULL) {
        return FAKEETCD_E_NOMEM;
    }
    token->user = found;
    token->used_us = now_us;
    write_token(auth, token);
    RT_TABLE_ADD_BYTES(auth->token_table, token, token->text, token->len_bytes, &status);
    if (status != RT_OK) {
        free(token);
        return FAKEETCD_E_NOMEM;
    }
    TAILQ_INSERT_TAIL(&auth->tokens, token, entry);
    memcpy(out_token, token->text, FAKEETCD_TOKEN_BYTES);
    return FAKEETCD_OK;
}

/* ---- who a request is from ---- */

enum fakeetcd_error fakeetcd_auth_identify(struct fakeetcd_auth *auth, struct rt_slice token,
                                           uint64_t now_us, struct fakeetcd_identity *out_identity)
{
    struct fakeetcd__token *found = NULL;

    if (!auth->is_enabled || token.len_bytes == 0) {
        *out_identity = (struct fakeetcd_identity){.auth_revision = auth->revision};
        return FAKEETCD_OK;
    }
    expire(auth, now_us);
    RT_TABLE_FIND_BYTES(auth->token_table, token.data, token.len_bytes, found);
    if (found == NULL) {
        return FAKEETCD_E_INVALID_TOKEN;
    }
    found->used_us = now_us;
    TAILQ_REMOVE(&auth->tokens, found, entry);
    TAILQ_INSERT_TAIL(&auth->tokens, found, entry);
    *out_identity = (struct fakeetcd_identity){
        .is_known = true, .user = found->user->named.name, .auth_revision = auth->revision};
    return FAKEETCD_OK;
}

/* A name that is no user is still a name: it is denied later, as etcd does. */
enum fakeetcd_error fakeetcd_auth_identify_name(struct fakeetcd_auth *auth, struct rt_slice name,
                                                struct fakeetcd_identity *out_identity)
{
    const struct fakeetcd__user *user = fakeetcd__user_find(auth, name);

    *out_identity = (struct fakeetcd_identity){.is_known = auth->is_enabled && name.len_bytes > 0,
                                               .user = user == NULL ? name : user->named.name,
                                               .auth_revision = auth->revision};
    return FAKEETCD_OK;
}
