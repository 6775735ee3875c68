
/*
 * Which clients prefer HTML, and the HTML pages as answers.
 *
 * It runs on the event loop.  src/page writes the pages.
 */


#include <ngx_http_stockcert.h>
#include <stockcert_html.h>


static ngx_int_t ngx_http_stockcert_quality(u_char *p, u_char *last,
    const char *type);
static ngx_int_t ngx_http_stockcert_send_page(ngx_http_request_t *r,
    ngx_uint_t status, ngx_http_stockcert_page_t *page);


/*
 * RFC 9110, section 12.5.1, in short.  HTML is for a client that names it,
 * prefers it to JSON, and likes nothing else better.  All others get JSON.
 */

ngx_uint_t
ngx_http_stockcert_prefers_html(ngx_http_request_t *r)
{
    ngx_int_t  html;

    html = ngx_http_stockcert_accepts(r, "text/html");

    return html > 0 && html > ngx_http_stockcert_accepts(r, "application/json")
           && html >= ngx_http_stockcert_accepts(r, "*/*");
}


ngx_int_t
ngx_http_stockcert_accepts(ngx_http_request_t *r, const char *type)
{
    u_char           *last;
    ngx_int_t         quality, q;
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    quality = NGX_DECLINED;

    part = &r->headers_in.headers.part;
    h = part->elts;

    for (i = 0; /* void */ ; i++) {

        if (i == part->nelts) {

            if (part->next == NULL) {
                break;
            }

            part = part->next;
            h = part->elts;
            i = 0;
        }

        if (h[i].key.len != sizeof("Accept") - 1
            || ngx_strcasecmp(h[i].key.data, (u_char *) "Accept") != 0)
        {
            continue;
        }

        last = h[i].value.data + h[i].value.len;

        q = ngx_http_stockcert_quality(h[i].value.data, last, type);
        quality = ngx_max(quality, q);
    }

    return quality;
}


/* in thousandths; NGX_DECLINED if the type is not named */

static ngx_int_t
ngx_http_stockcert_quality(u_char *p, u_char *last, const char *type)
{
    size_t      len;
    u_char     *end, *semicolon, *q;
    ngx_int_t   quality, unit, found;

    len = ngx_strlen(type);
    found = NGX_DECLINED;

    for ( /* void */ ; p < last; p = end + 1) {

        while (p < last && (*p == ' ' || *p == '\t')) {
            p++;
        }

        end = ngx_strlchr(p, last, ',');
        if (end == NULL) {
            end = last;
        }

        if ((size_t) (end - p) < len
            || ngx_strncasecmp(p, (u_char *) type, len) != 0
            || (p + len < end && p[len] != ';' && p[len] != ' '
                && p[len] != '\t'))
        {
            continue;
        }

        quality = 1000;
        semicolon = p + len;

        while ((semicolon = ngx_strlchr(semicolon, end, ';')) != NULL) {

            do {
                semicolon++;
            } while (semicolon < end
                     && (*semicolon == ' ' || *semicolon == '\t'));

            if (end - semicolon < 3 || (*semicolon | 0x20) != 'q'
                || semicolon[1] != '=')
            {
                continue;
            }

            /* "1", "0", "0.5", "0.875" */

            quality = semicolon[2] == '1' ? 1000 : 0;
            unit = semicolon[2] == '0' ? 100 : 0;

            for (q = semicolon + 4; q < end && *q >= '0' && *q <= '9'; q++) {
                quality += (*q - '0') * unit;
                unit /= 10;
            }
        }

        found = ngx_max(found, quality);
    }

    return found;
}


ngx_int_t
ngx_http_stockcert_html_certificate(ngx_http_request_t *r,
    const stockcert_class_t *class, const stockcert_certificate_t *certificate)
{
    ngx_str_t                       url;
    stockcert_paper_page_t          paper;
    ngx_http_stockcert_par_t       *par;
    ngx_http_stockcert_page_t       page;
    ngx_http_stockcert_ledger_t    *ledger;
    ngx_http_stockcert_loc_conf_t  *slcf;

    slcf = ngx_http_get_module_loc_conf(r, ngx_http_stockcert_module);
    ledger = slcf->ledger;

    ngx_memzero(&paper, sizeof(stockcert_paper_page_t));

    if (ngx_http_stockcert_url(r, &certificate->issued, 1, &url) != NGX_OK
        || ngx_http_stockcert_html_place(r, &paper.company, &paper.book)
           != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    paper.class = *class;
    paper.certificate = certificate;
    paper.url.len = url.len;
    paper.url.data = (char *) url.data;

    par = ngx_http_stockcert_find_par(ledger, class->code.data,
                                      class->code.len);
    if (par) {
        paper.par = par->value;
    }

    if (ngx_http_stockcert_open_page(&page) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    stockcert_paper_write(page.file, &ledger->paper, &paper);

    return ngx_http_stockcert_send_page(r, NGX_HTTP_OK, &page);
}


ngx_int_t
ngx_http_stockcert_html_book(ngx_http_request_t *r,
    stockcert_book_page_t *book)
{
    ngx_http_stockcert_page_t  page;

    if (ngx_http_stockcert_html_place(r, &book->company, &book->book) != NGX_OK
        || ngx_http_stockcert_open_page(&page) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    stockcert_book_write(page.file, book);

    return ngx_http_stockcert_send_page(r, NGX_HTTP_OK, &page);
}


ngx_int_t
ngx_http_stockcert_html_problem(ngx_http_request_t *r, ngx_uint_t status,
    const ngx_str_t *title, const ngx_str_t *detail)
{
    stockcert_problem_page_t   problem;
    ngx_http_stockcert_page_t  page;

    problem.status = (unsigned) status;
    problem.read = (r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD)) != 0;
    problem.title.len = title->len;
    problem.title.data = (char *) title->data;
    problem.detail.len = detail->len;
    problem.detail.data = (char *) detail->data;

    if (ngx_http_stockcert_html_place(r, &problem.company, &problem.book)
        != NGX_OK
        || ngx_http_stockcert_open_page(&page) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    stockcert_problem_write(page.file, &problem);

    return ngx_http_stockcert_send_page(r, status, &page);
}


ngx_int_t
ngx_http_stockcert_html_place(ngx_http_request_t *r, stockcert_str_t *company,
    stockcert_str_t *book)
{
    ngx_str_t                       base;
    ngx_http_stockcert_loc_conf_t  *slcf;

    slcf = ngx_http_get_module_loc_conf(r, ngx_http_stockcert_module);

    if (ngx_http_stockcert_base(r, &base) != NGX_OK) {
        return NGX_ERROR;
    }

    company->len = slcf->ledger->company.len;
    company->data = (char *) slcf->ledger->company.data;
    book->len = base.len;
    book->data = (char *) base.data;

    return NGX_OK;
}


static ngx_int_t
ngx_http_stockcert_send_page(ngx_http_request_t *r, ngx_uint_t status,
    ngx_http_stockcert_page_t *page)
{
    ngx_buf_t  *b;

    b = ngx_http_stockcert_page_buf(r, page);

    if (b == NULL || ngx_http_stockcert_html_headers(r) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_stockcert_send(r, status, NGX_HTTP_STOCKCERT_HTML, b);
}


ngx_buf_t *
ngx_http_stockcert_page_buf(ngx_http_request_t *r,
    ngx_http_stockcert_page_t *page)
{
    ngx_buf_t  *b;

    b = NULL;

    if (ngx_http_stockcert_close_page(page) == NGX_OK) {
        b = ngx_create_temp_buf(r->pool, page->len + 1);
    }

    if (b) {
        b->last = ngx_cpymem(b->last, page->text, page->len);
    }

    ngx_http_stockcert_free_page(page);

    return b;
}


ngx_int_t
ngx_http_stockcert_open_page(ngx_http_stockcert_page_t *page)
{
    page->text = NULL;
    page->file = open_memstream(&page->text, &page->len);

    return page->file ? NGX_OK : NGX_ERROR;
}


ngx_int_t
ngx_http_stockcert_close_page(ngx_http_stockcert_page_t *page)
{
    ngx_uint_t  failed;

    failed = (ferror(page->file) != 0);
    failed |= (fclose(page->file) == EOF);

    page->file = NULL;

    return failed ? NGX_ERROR : NGX_OK;
}


void
ngx_http_stockcert_free_page(ngx_http_stockcert_page_t *page)
{
    if (page->file) {
        (void) fclose(page->file);
        page->file = NULL;
    }

    free(page->text);
    page->text = NULL;
}


ngx_int_t
ngx_http_stockcert_html_headers(ngx_http_request_t *r)
{
    const char  *policy;

    policy = stockcert_html_policy();

    if (policy == NULL
        || ngx_http_stockcert_add_header(r, "Content-Security-Policy", policy)
           == NULL)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}
