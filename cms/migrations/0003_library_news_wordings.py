# Library of standards, news, wordings

import django.db.models.deletion
import wagtail.contrib.routable_page.models
import wagtail.fields
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('cms', '0002_article_introduction'),
        ('wagtailcore', '0098_apitoken'),
    ]

    operations = [
        migrations.CreateModel(
            name='NewsPage',
            fields=[
                ('page_ptr', models.OneToOneField(auto_created=True, on_delete=django.db.models.deletion.CASCADE, parent_link=True, primary_key=True, serialize=False, to=settings.WAGTAIL_PAGE_MODEL)),
                ('introduction', wagtail.fields.RichTextField(blank=True, verbose_name='introduction')),
            ],
            options={
                'abstract': False,
            },
            bases=('wagtailcore.page',),
        ),
        migrations.CreateModel(
            name='NoticePage',
            fields=[
                ('page_ptr', models.OneToOneField(auto_created=True, on_delete=django.db.models.deletion.CASCADE, parent_link=True, primary_key=True, serialize=False, to=settings.WAGTAIL_PAGE_MODEL)),
                ('sort', models.CharField(choices=[('policy', 'Policy notice'), ('news', 'News')], default='news', max_length=8, verbose_name='sort')),
                ('on', models.DateField(verbose_name='date')),
                ('source', models.CharField(blank=True, help_text='Who issued it, and its number.', max_length=200, verbose_name='source')),
                ('introduction', models.CharField(blank=True, max_length=300, verbose_name='introduction')),
                ('body', wagtail.fields.StreamField([('text', 0), ('quote', 1), ('facts', 5), ('image', 6), ('document', 7)], blank=True, block_lookup={0: ('wagtail.blocks.RichTextBlock', (), {'features': ['h2', 'h3', 'bold', 'italic', 'ol', 'ul', 'link', 'document-link', 'image', 'hr'], 'label': 'Text'}), 1: ('wagtail.blocks.BlockQuoteBlock', (), {'label': 'Quotation'}), 2: ('wagtail.blocks.CharBlock', (), {'label': 'What'}), 3: ('wagtail.blocks.CharBlock', (), {'label': 'Value'}), 4: ('wagtail.blocks.StructBlock', [[('label', 2), ('value', 3)]], {}), 5: ('wagtail.blocks.ListBlock', (4,), {'label': 'Facts'}), 6: ('wagtail.images.blocks.ImageChooserBlock', (), {'label': 'Picture'}), 7: ('wagtail.documents.blocks.DocumentChooserBlock', (), {'label': 'Document'})}, verbose_name='content')),
            ],
            options={
                'abstract': False,
            },
            bases=('wagtailcore.page',),
        ),
        migrations.CreateModel(
            name='StandardsPage',
            fields=[
                ('page_ptr', models.OneToOneField(auto_created=True, on_delete=django.db.models.deletion.CASCADE, parent_link=True, primary_key=True, serialize=False, to=settings.WAGTAIL_PAGE_MODEL)),
                ('introduction', wagtail.fields.RichTextField(blank=True, verbose_name='introduction')),
            ],
            options={
                'abstract': False,
            },
            bases=(wagtail.contrib.routable_page.models.RoutablePageMixin, 'wagtailcore.page'),
        ),
        migrations.CreateModel(
            name='Wording',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('language', models.CharField(choices=[('zh-hans', '简体中文'), ('en', 'English')], max_length=10, verbose_name='language')),
                ('source', models.TextField(help_text='Exactly as the English page shows it.', verbose_name='text in the product (English)')),
                ('text', models.TextField(verbose_name='what it should read')),
                ('note', models.CharField(blank=True, max_length=200, verbose_name='note')),
            ],
            options={
                'verbose_name': 'wording',
                'verbose_name_plural': 'wordings',
                'ordering': ['source', 'language'],
                'constraints': [models.UniqueConstraint(fields=('language', 'source'), name='wording_once')],
            },
        ),
    ]
